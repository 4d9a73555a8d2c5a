"""The index of captured completions: where each lies, and the filters that find them.

In: the references of a recorded object. Out: rows that a redelivery writes again unchanged. A filter gives references
in order of (created, id); bodies are read by reference. A captured completion never changes: its edits and its deletion
are rows of their own (`changes`), applied when it is read.

    C#<id>               / <content hash>        one completion: where it lies
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

import orjson

from completions import changes, frames, postings
from completions.changes import GONE, Changes
from completions.completion import Completion
from completions.postings import Reference
from foundation import table
from foundation.ids import new_id

if TYPE_CHECKING:
    from completions.filters import Filter

# How much of a content hash tells two completions of one id apart.
_SHOWN = 8
_READ_AHEAD = 2000
_READ_AHEAD_BYTES = 8 * 1024 * 1024
_READERS = 8
# To wake a reader takes as long as to ask for an id.
_IDS_A_READER = 8


class Scan:
    """How far one call may look: so many references, so many seconds. `at` is the last one it looked at."""

    def __init__(self, *, references: int = 200_000, seconds: float = 20.0) -> None:
        self._left = references
        self._until = time.monotonic() + seconds
        self.at: Reference | None = None
        self.exhausted = False

    def goes_on(self, reference: Reference) -> bool:
        """Whether this one may be looked at too."""
        self.exhausted = self._left <= 0 or time.monotonic() > self._until
        if not self.exhausted:
            self._left -= 1
            self.at = reference
        return not self.exhausted


def rows(object_id: str, references: Sequence[Reference]) -> Iterator[table.Row]:
    """The rows of one recorded object: one for each completion, one for each minute and tag."""
    name = frames.name_of(references[0].object) if references else ""
    for one in references:
        # Most of what a capture costs is this row: what it holds is packed, its names are short.
        place = orjson.dumps([one.created, one.offset, one.length])
        yield {"pk": f"C#{one.id}", "sk": one.hash, "o": name, "p": place}
    yield from postings.rows(object_id, references)


def select(
    wanted: Filter, *, after: Reference | None = None, descending: bool = False, scan: Scan | None = None
) -> Iterator[Reference]:
    """The references of a filter in order of (created, id), each once, lazily; edits and deletions applied.

    A `scan` ends it early. The filter's text is not looked at: `completions` does that.
    """
    changed = Changes(descending=descending)
    for minute, references in _posted(wanted, after=after, descending=descending):
        of_minute = changed.of_minute(minute)
        for reference in references:
            if scan and not scan.goes_on(reference):
                return
            present = changes.applied(reference, of_minute.get(reference.id))
            if present and wanted.fits(present):
                yield present


def captured(wanted: Filter, *, scan: Scan) -> Iterator[Reference]:
    """Everything that was captured, as it was then: what was edited or deleted since counts too."""
    for _, references in _posted(wanted, after=None, descending=False):
        for reference in references:
            if not scan.goes_on(reference):
                return
            if wanted.fits(reference):
                yield reference


def _posted(wanted: Filter, *, after: Reference | None, descending: bool) -> Iterator[tuple[int, list[Reference]]]:
    low = max(wanted.created_after or 0, after.created if after and not descending else 0)
    highs = [wanted.created_before, after.created if after and descending else None]
    high = min((bound for bound in highs if bound is not None), default=None)

    def in_reach(reference: Reference) -> bool:
        behind = after and (reference.order >= after.order if descending else reference.order <= after.order)
        return low <= reference.created and (high is None or reference.created <= high) and not behind

    for minute, references in postings.walk(wanted.dimensions(), low, high, descending=descending):
        reachable = [one for one in named(references) if in_reach(one)]
        yield minute, reachable[::-1] if descending else reachable


def named(references: Iterable[Reference]) -> list[Reference]:
    """Those of a minute, each under a name of its own.

    Two batches on their way at once may have brought other bytes under one id.
    """
    owners: dict[str, str] = {}
    return [
        one if owners.setdefault(one.id, one.hash) == one.hash else one._replace(id=_apart(one)) for one in references
    ]


def _apart(reference: Reference) -> str:
    return f"{reference.id}-{reference.hash[:_SHOWN]}"


def cursor(completion: Completion) -> str:
    """The id under which `find` gives this very completion, though other bytes may hold its id in another minute."""
    first, *others = places(completion.id)
    return next((_apart(one) for one in others if one.created == completion.created != first.created), completion.id)


def find(completion_id: str, *, deleted: bool = False) -> Reference | None:
    """The reference of one completion by its id; the first recorded where other bytes hold the same id.

    None where there is none, or where it was deleted, unless `deleted` asks for those too: a cursor may be one.
    """
    stored = _stored(completion_id)
    if not stored or (GONE in {row["sk"] for row in stored} and not deleted):
        return None
    references = _references(completion_id, stored)
    if not references or deleted:
        return references[0] if references else None
    return changes.applied(references[0], changes.of(references[0]))


def places(completion_id: str) -> list[Reference]:
    """Every place where something is recorded under an id, deleted or not."""
    return _references(completion_id, _stored(completion_id))


def _stored(completion_id: str) -> list[table.Row]:
    """The rows of an id; those of `<id>-<hash8>` where two batches were on their way at once."""
    found = list(table.query(f"C#{completion_id}"))
    origin, _, shown = completion_id.rpartition("-")
    if not any(not row["sk"].startswith("~") for row in found) and origin and len(shown) == _SHOWN:
        found += table.query(f"C#{origin}", prefix=shown)
    return found


def _references(completion_id: str, stored: Iterable[table.Row]) -> list[Reference]:
    found = []
    for row in stored:
        if not row["sk"].startswith("~"):
            created, offset, length = orjson.loads(row["p"])
            found.append(Reference(created, completion_id, row["sk"], frames.key_of(row["o"]), offset, length))
    return sorted(found, key=lambda one: one.order)


def edit(completion: Completion, reference: Reference, metadata: dict[str, str]) -> None:
    """Replace the metadata of a completion. The postings come first: without the edit itself they find nothing."""
    edited = Reference.of(completion, key=reference.object, offset=reference.offset, length=reference.length)
    edited = edited._replace(id=reference.id, hash=reference.hash, created=reference.created, metadata=metadata)
    table.write_all(postings.rows(f"edit-{new_id('')}", [edited]))
    changes.edit(reference, metadata)


def delete(completion_id: str) -> None:
    """Delete a completion: it stays deleted, also when it is pushed again, or still on its way."""
    changes.delete(places(completion_id) or [Reference(0, completion_id, "", "", 0, 0)])


def known_hashes(completion_ids: Sequence[str]) -> dict[str, set[str]]:
    """The content hashes already recorded under each of these ids, and GONE where it was deleted."""

    def of(some: Sequence[str]) -> dict[str, set[str]]:
        return {one: {row["sk"] for row in table.query(f"C#{one}", consistent=False)} for one in some}

    shares = max(1, min(_READERS, len(completion_ids) // _IDS_A_READER))
    pending = [_readers().submit(of, completion_ids[first::shares]) for first in range(1, shares)]
    found = of(completion_ids[::shares])
    for some in pending:
        found |= some.result()
    return found


def gone(completion_ids: Iterable[str]) -> set[str]:
    """Those of these ids that were deleted."""
    keys = ((f"C#{one}", GONE) for one in completion_ids)
    return {pk.removeprefix("C#") for pk, _ in table.get_all(keys, consistent=False)}


def completions(
    wanted: Filter,
    *,
    limit: int | None = None,
    after: Reference | None = None,
    descending: bool = False,
    scan: Scan | None = None,
) -> Iterator[Completion]:
    """The completions of a filter in order, their text looked at too; at most `limit`, lazily."""
    references = select(wanted, after=after, descending=descending, scan=scan)
    if wanted.text is None:
        return read(islice(references, limit))
    return islice((one for one in _read(references, wanted.may_match) if wanted.matches(one)), limit)


def read(references: Iterable[Reference]) -> Iterator[Completion]:
    """The completions of these references with their edited metadata, in their order."""
    return _read(references, lambda _: True)


def _read(references: Iterable[Reference], may_match: Callable[[bytes], bool]) -> Iterator[Completion]:
    """Some objects at once; what cannot hold the wanted text is not even parsed."""

    def of_object(found: tuple[str, list[Reference]]) -> dict[int, Completion]:
        held = frames.lines(*found)
        return {id(one): Completion.read(line) for one, line in held if may_match(line)}

    for some in _some(references):
        by_object: dict[str, list[Reference]] = defaultdict(list)
        for reference in some:
            by_object[reference.object].append(reference)
        bodies: dict[int, Completion] = {}
        for found in _readers().map(of_object, by_object.items()):
            bodies.update(found)
        for reference in some:
            if id(reference) in bodies:
                yield _as_named(bodies[id(reference)], reference)


@cache
def _readers() -> ThreadPoolExecutor:
    """Threads that live as long as the process: a function's calls come one after the other."""
    return ThreadPoolExecutor(_READERS, thread_name_prefix="readers")


def _as_named(body: Completion, reference: Reference) -> Completion:
    named = body if body.id == reference.id else body.under(reference.id)
    if reference.metadata is None or reference.metadata == body.metadata:
        return named
    return replace(named, metadata=reference.metadata)


def _some(references: Iterable[Reference]) -> Iterator[list[Reference]]:
    """Lists of references whose bodies fit into memory together."""
    some: list[Reference] = []
    size = 0
    for reference in references:
        some.append(reference)
        size += reference.length
        if len(some) >= _READ_AHEAD or size >= _READ_AHEAD_BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some
