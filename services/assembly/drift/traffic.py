"""A sample of an alias's traffic in which each completion of some days has the same chance to be.

In: an alias, and from when to when. Out: at most 2,000 references, of which at most 600 are of the same three hours.
However much traffic there is, at most 20,000 references of each three hours are counted; where there are more, how many
follows from how fast these came. So no hour weighs more than it has traffic, and a week's sample has each weekday and
each time of day.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterator
from typing import NamedTuple

from aliases.alias import When
from completions import index
from completions.postings import Reference
from completions.scan import Scan
from completions.sources import StoredCompletions

MOST = 2_000
"""The completions that are looked at: a share of them is known to two points."""
_SLOT_S = 3 * 3600
_MOST_OF_SLOT = 600
_MOST_COUNTED = 20_000
_SLOT_SECONDS = 4.0
_MOST_DELETED = 600
"""The completions that are looked through for one that is still there."""


class _Slot(NamedTuple):
    """Some hours of traffic."""

    sample: list[Reference]
    """At most 600 of them, those with the smallest digests, in their order."""
    expected: float
    """How many completions there are: those that were counted, or as many as their pace tells."""


def source_of(alias: str, *, since: int, until: int, when: When | None = None) -> StoredCompletions:
    """The filter of an alias's traffic between two times, both in seconds since the epoch and inclusive."""
    source = StoredCompletions(type="stored_completions", alias=alias, created_after=since, created_before=until)
    return source.model_copy(update={"metadata": when}) if when else source


def first_at(alias: str, *, since: int) -> int | None:
    """When the first completion that is still there was captured by this alias, in seconds since the epoch.

    Where some were before `since` it is the last of these: the first of all may have been deleted, with thousands.
    """
    before = StoredCompletions(type="stored_completions", alias=alias, created_before=since)
    later = StoredCompletions(type="stored_completions", alias=alias, created_after=since)
    one = next(_present(before, descending=True), None) or next(_present(later), None)
    return one.created if one else None


def _present(source: StoredCompletions, *, descending: bool = False) -> Iterator[Reference]:
    scan = Scan(references=_MOST_DELETED, seconds=_SLOT_SECONDS)
    return index.select(source, descending=descending, scan=scan)


def sampled(
    alias: str, *, since: int, until: int, is_meant: Callable[[Reference], bool] = lambda _: True
) -> list[Reference]:
    """The sample of what is meant, in the order of time. The same traffic gives the same one."""
    slots = [
        _slot(alias, start, min(until, start + _SLOT_S - 1), is_meant) for start in range(since, until + 1, _SLOT_S)
    ]
    busy = [slot for slot in slots if slot.sample]
    total = sum(slot.expected for slot in busy)
    # No larger than the share of the busiest hours that is in their sample: else these would count too little.
    share = min([1.0, *(len(slot.sample) / slot.expected for slot in busy), MOST / max(1.0, total)])
    chosen = [one for slot in slots for one in slot.sample[: round(share * slot.expected)]]
    return sorted(chosen, key=lambda reference: reference.order)


def _slot(alias: str, start: int, end: int, is_meant: Callable[[Reference], bool]) -> _Slot:
    scan = Scan(references=_MOST_COUNTED, seconds=_SLOT_SECONDS)
    seen = list(filter(is_meant, index.select(source_of(alias, since=start, until=end), scan=scan)))
    sample = heapq.nsmallest(_MOST_OF_SLOT, seen, key=_digest)
    if not scan.exhausted or scan.at is None:
        return _Slot(sample, len(seen))
    # What was looked at and is left out, as deleted ones and other slices are, is left out of the rest alike.
    return _Slot(sample, len(seen) * (end - start + 1) / (scan.at.created - start + 1))


def _digest(reference: Reference) -> bytes:
    return hashlib.blake2b(reference.id.encode()).digest()
