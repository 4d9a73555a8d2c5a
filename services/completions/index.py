"""The index of captured completions: where each one lies, and which ones meet a filter.

`rows` gives the rows of a recorded object, the same ones each time. `select` gives the references that meet a filter,
in the order of (created, id); `read` gives the bodies of references. A captured completion never changes: its edits and
its deletion are rows of their own (`changes`), which are applied when it is read.

    C#<id>               / <content hash>        one completion: where it lies
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

import orjson

from completions import changes, frames, postings, recent
from completions.changes import GONE, Changes
from completions.completion import Completion
from completions.postings import Reference
from foundation import table
from foundation.ids import new_id

if TYPE_CHECKING:
    from completions.filters import Filter
    from completions.scan import Scan

# Two completions with one id are told apart by this many letters of their content hashes.
_SHOWN = 8
_READ_AHEAD = 2000
_READ_AHEAD_BYTES = 8 * 1024 * 1024
_READERS = 8
# Waking a reader thread takes about as long as asking for an id, so a thread has to have several to ask for.
_IDS_A_READER = 8


def rows(object_id: str, references: Sequence[Reference]) -> Iterator[table.Row]:
    """The rows of one recorded object: one for each completion, one for each minute and tag."""
    name = frames.name_of(references[0].object) if references else ""
    for reference in references:
        # Most of what a capture costs is this row, so its names are short and its values are packed into one.
        place = orjson.dumps([reference.created, reference.offset, reference.length])
        yield {"pk": f"C#{reference.id}", "sk": reference.hash, "o": name, "p": place}
    yield from postings.rows(object_id, references)


def select(
    wanted: Filter, *, after: Reference | None = None, descending: bool = False, scan: Scan | None = None
) -> Iterator[Reference]:
    """The references that meet a filter in the order of (created, id), each once, lazily.

    Edits and deletions are applied. A `scan` may end it early. The filter's `text` is ignored: it is about bodies, so
    `completions` applies it.
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


def captured(wanted: Filter, *, scan: Scan, descending: bool = False) -> Iterator[Reference]:
    """The references that met a filter when they were captured, whatever was edited or deleted since."""
    for _, references in _posted(wanted, after=None, descending=descending):
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
        reachable = [reference for reference in named(references) if in_reach(reference)]
        yield minute, reachable[::-1] if descending else reachable


def named(references: Iterable[Reference]) -> list[Reference]:
    """The references of one minute, each under an id that no other content has.

    If pushes at the same time brought different contents under one id, the later ones get the id `<id>-<hash8>`.
    """
    first_hashes: dict[str, str] = {}
    return [
        reference
        if first_hashes.setdefault(reference.id, reference.hash) == reference.hash
        else reference._replace(id=_apart(reference))
        for reference in references
    ]


def _apart(reference: Reference) -> str:
    return f"{reference.id}-{reference.hash[:_SHOWN]}"


def names(reference: Reference) -> tuple[str, str]:
    """The ids under which lists show what is recorded so, and under which it may have been deleted."""
    return reference.id, _apart(reference)


def cursor(completion_id: str, created: int) -> str:
    """The id under which `find` gives the completion of this time, even if other content has its id in another minute.

    `completion_id` and `created` are as a list shows them.
    """
    recorded = places(completion_id)
    late = (_apart(place) for place in recorded[1:] if place.created == created != recorded[0].created)
    return next(late, completion_id)


def find(completion_id: str, *, deleted: bool = False) -> Reference | None:
    """The reference of the completion with this id; the earliest one if other content has the same id.

    None if there is none or if it was deleted. `deleted` asks for deleted ones too: a cursor of a list may be one.
    """
    stored = _stored(completion_id)
    if not stored or (GONE in {row["sk"] for row in stored} and not deleted):
        return None
    references = _references(completion_id, stored)
    if not references or deleted:
        return references[0] if references else None
    return changes.applied(references[0], changes.of(references[0]))


def places(completion_id: str) -> list[Reference]:
    """The references of everything that was recorded under an id, deleted or not."""
    return _references(completion_id, _stored(completion_id))


def _stored(completion_id: str) -> list[table.Row]:
    """The rows of an id. An `<id>-<hash8>` that only lists show has no rows of its own; it gives those of `<id>`."""
    stored = list(table.query(f"C#{completion_id}"))
    origin, _, shown = completion_id.rpartition("-")
    if all(row["sk"].startswith("~") for row in stored) and origin and len(shown) == _SHOWN:
        stored += table.query(f"C#{origin}", prefix=shown)
    return stored


def _references(completion_id: str, stored: Iterable[table.Row]) -> list[Reference]:
    references = []
    for row in stored:
        if not row["sk"].startswith("~"):
            created, offset, length = orjson.loads(row["p"])
            references.append(Reference(created, completion_id, row["sk"], frames.key_of(row["o"]), offset, length))
    return sorted(references, key=lambda reference: reference.order)


def edit(completion: Completion, reference: Reference, metadata: dict[str, str]) -> None:
    """Replace the metadata of a completion.

    The posting lists are written first. What they name is shown only once the edit itself is written.
    """
    edited = Reference.of(completion, key=reference.object, offset=reference.offset, length=reference.length)
    edited = edited._replace(id=reference.id, hash=reference.hash, created=reference.created, metadata=metadata)
    table.write_all(postings.rows(f"edit-{new_id('')}", [edited]))
    changes.edit(reference, metadata)


def delete(completion_id: str) -> None:
    """Delete a completion. It stays deleted if it is pushed again, or if it is still in the recorder's queue."""
    unrecorded = recent.reference(completion_id) or Reference(0, completion_id, "", "", 0, 0)
    changes.delete(places(completion_id) or [unrecorded])
    recent.forget(completion_id)


def deleted(references: Sequence[Reference]) -> list[Reference]:
    """Those of these references that were deleted, each under the id that was."""
    named_alike = [reference._replace(id=name) for reference in references for name in names(reference)]
    ids = gone({reference.id for reference in named_alike})
    return [reference for reference in named_alike if reference.id in ids]


def known_hashes(completion_ids: Sequence[str]) -> dict[str, set[str]]:
    """The content hashes that are recorded under each of these ids; GONE is among them if the id was deleted."""

    def of(ids: Sequence[str]) -> dict[str, set[str]]:
        return {name: {row["sk"] for row in table.query(f"C#{name}", consistent=False)} for name in ids}

    shares = max(1, min(_READERS, len(completion_ids) // _IDS_A_READER))
    pending = [_readers().submit(of, completion_ids[first::shares]) for first in range(1, shares)]
    hashes = of(completion_ids[::shares])
    for share in pending:
        hashes |= share.result()
    return hashes


def gone(completion_ids: Iterable[str]) -> set[str]:
    """The ids among these that were deleted."""
    keys = ((f"C#{completion_id}", GONE) for completion_id in completion_ids)
    return {pk.removeprefix("C#") for pk, _ in table.get_all(keys, consistent=False)}


def completions(
    wanted: Filter,
    *,
    limit: int | None = None,
    after: Reference | None = None,
    descending: bool = False,
    scan: Scan | None = None,
) -> Iterator[Completion]:
    """The completions that meet a filter, its text included, in order; at most `limit`, lazily."""
    references = select(wanted, after=after, descending=descending, scan=scan)
    if wanted.text is None:
        return read(references) if limit is None else _first(references, limit)
    return islice(read(references, wanted), limit)


def _first(references: Iterator[Reference], limit: int) -> Iterator[Completion]:
    """The first `limit` completions; a reference whose object is lost does not count."""
    while limit and (some := list(islice(references, min(limit, _READ_AHEAD)))):
        for completion in read(some):
            limit -= 1
            yield completion


def read(references: Iterable[Reference], wanted: Filter | None = None) -> Iterator[Completion]:
    """The completions of these references with their edited metadata, in their order; without those that are lost.

    With a filter only those that have its text: that is all of it that references do not tell.
    """
    if wanted is None:
        return _read(references, lambda _: True)
    return filter(wanted.matches, _read(references, wanted.may_match))


def _read(references: Iterable[Reference], may_match: Callable[[bytes], bool]) -> Iterator[Completion]:
    """Read several objects at once. A line for which `may_match` is false is left out before it is parsed."""

    def of_object(wanted: tuple[str, list[Reference]]) -> dict[int, Completion]:
        lines = frames.lines(*wanted)
        return {id(reference): Completion.read(line) for reference, line in lines if may_match(line)}

    for together in _chunks(references):
        by_object: dict[str, list[Reference]] = defaultdict(list)
        for reference in together:
            by_object[reference.object].append(reference)
        bodies: dict[int, Completion] = {}
        for of_one_object in _readers().map(of_object, by_object.items()):
            bodies.update(of_one_object)
        for reference in together:
            if id(reference) in bodies:
                yield _as_named(bodies[id(reference)], reference)


@cache
def _readers() -> ThreadPoolExecutor:
    """The reader threads. They live as long as the process, whose calls come one after the other."""
    return ThreadPoolExecutor(_READERS, thread_name_prefix="readers")


def _as_named(body: Completion, reference: Reference) -> Completion:
    """The completion with the id and the metadata that its reference gives it."""
    named = body if body.id == reference.id else body.under(reference.id)
    if reference.metadata is None or reference.metadata == body.metadata:
        return named
    return replace(named, metadata=reference.metadata)


def _chunks(references: Iterable[Reference]) -> Iterator[list[Reference]]:
    """The references in lists whose bodies fit into memory together."""
    chunk: list[Reference] = []
    size = 0
    for reference in references:
        chunk.append(reference)
        size += reference.length
        if len(chunk) >= _READ_AHEAD or size >= _READ_AHEAD_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
