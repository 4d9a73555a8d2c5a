"""A sample of an alias's traffic in which each completion of some days has the same chance to be.

In: an alias, and from when to when. Out: at most 2,000 references. However much traffic there is, at most 600
references of each three hours are looked at; where there are more, how many follows from how fast these came. So no
hour weighs more than it has traffic, and a week's sample has each weekday and each time of day.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
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
_SLOT_SECONDS = 4.0


class _Slot(NamedTuple):
    """Some hours of traffic."""

    seen: list[Reference]
    expected: float
    """How many completions there are: those that were seen, or as many as their pace tells."""


def source_of(alias: str, *, since: int, until: int, when: When | None = None) -> StoredCompletions:
    """The filter of an alias's traffic between two times, both in seconds since the epoch and inclusive."""
    source = StoredCompletions(type="stored_completions", alias=alias, created_after=since, created_before=until)
    return source.model_copy(update={"metadata": when}) if when else source


def first_at(alias: str) -> int | None:
    """When the first completion that is still there was captured by this alias, in seconds since the epoch."""
    anytime = StoredCompletions(type="stored_completions", alias=alias)
    first = next(index.select(anytime, scan=Scan(references=_MOST_OF_SLOT, seconds=_SLOT_SECONDS)), None)
    return first.created if first else None


def sampled(
    alias: str, *, since: int, until: int, is_meant: Callable[[Reference], bool] = lambda _: True
) -> list[Reference]:
    """The sample of what is meant, in the order of time. The same traffic gives the same one."""
    slots = [
        _slot(alias, start, min(until, start + _SLOT_S - 1), is_meant) for start in range(since, until + 1, _SLOT_S)
    ]
    busy = [slot for slot in slots if slot.seen]
    total = sum(slot.expected for slot in busy)
    # No larger than the share of the busiest hours that was looked at: else these would count too little.
    share = min([1.0, *(len(slot.seen) / slot.expected for slot in busy), MOST / max(1.0, total)])
    chosen = [one for slot in slots for one in _chosen(slot, round(share * slot.expected))]
    return sorted(chosen, key=lambda reference: reference.order)


def _slot(alias: str, start: int, end: int, is_meant: Callable[[Reference], bool]) -> _Slot:
    scan = Scan(references=_MOST_OF_SLOT, seconds=_SLOT_SECONDS)
    seen = list(filter(is_meant, index.select(source_of(alias, since=start, until=end), scan=scan)))
    if not scan.exhausted or scan.at is None:
        return _Slot(seen, len(seen))
    # What was looked at and is left out, as deleted ones and other slices are, is left out of the rest alike.
    return _Slot(seen, len(seen) * (end - start + 1) / (scan.at.created - start + 1))


def _chosen(slot: _Slot, number: int) -> list[Reference]:
    """So many of a slot, by the digests of their ids."""
    return sorted(slot.seen, key=lambda reference: hashlib.blake2b(reference.id.encode()).digest())[:number]
