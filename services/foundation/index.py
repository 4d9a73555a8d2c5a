"""The index of captured completions: where each lies, what was changed since, and the filters that find them.

In: a recorded batch (object key, completions with their places). Out: rows that a redelivery writes again unchanged. A
filter gives references in order of (created, id); bodies are read by reference, each a zstd frame of a batch object in
S3. A captured completion never changes: an edit of its metadata and its deletion are rows of their own, applied when
it is read.

    C#<id>               / <content hash>        one completion: where it lies
    C#<id>               / ~EDIT, ~GONE          its edited metadata, its deletion
    B#<minute>#<shard>   / <object id>           the pushed batches that an object settled
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import batched
from typing import Any

import orjson
from backports import zstd
from pydantic import BaseModel, ConfigDict, Field

from foundation import blobs, postings, table
from foundation.completions import Completion
from foundation.ids import new_id, now, ulid_minute
from foundation.postings import SECONDS_A_MINUTE, Reference, shard_of

GONE = "~GONE"
_EDIT = "~EDIT"
# How much of a content hash tells two completions of one id apart.
_SHOWN = 8
_PENDING_MINUTES = 24 * 60
_WHOLE_OBJECT_FROM = 8
_LOOKED_UP_AT_ONCE = 100
_READ_AHEAD = 400
_READERS = 8


class Filter(BaseModel):
    """Which completions: every condition must hold. Times are inclusive seconds UTC."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    model: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    created_after: int | None = None
    created_before: int | None = None

    def dimensions(self) -> list[str]:
        models = [f"m:{self.model}"] if self.model else []
        return [*postings.tags(dict(sorted(self.metadata.items()))), *models] or ["all"]


def rows(object_id: str, placed: Sequence[tuple[Completion, Reference]]) -> Iterator[table.Row]:
    """The rows of one recorded object: one for each completion, one for each tag and minute."""
    for completion, reference in placed:
        yield {
            "pk": f"C#{completion.id}",
            "sk": reference.hash,
            "created": reference.created,
            "object": reference.object,
            "offset": reference.offset,
            "length": reference.length,
        }
    tagged = ((at, postings.dimensions(one.models, one.metadata)) for one, at in placed)
    yield from postings.rows(object_id, tagged)


def batch_row(object_id: str, minute: int, shard: int, batches: dict[str, Any]) -> table.Row:
    """The row that says which parts of which pushed batches are readable."""
    return {"pk": f"B#{minute}#{shard}", "sk": object_id, "batches": orjson.dumps(batches).decode()}


def batch_place(batch_id: str) -> tuple[int, int] | None:
    """Minute and shard of a pushed batch; None if this is no batch id."""
    minute = ulid_minute(batch_id.rpartition("_")[2])
    return None if minute is None else (minute, shard_of(batch_id))


def may_be_pending(batch_id: str) -> bool:
    """Whether this is the id of a batch pushed so lately that its recorder may still be at work."""
    place = batch_place(batch_id)
    return place is not None and abs(now() // SECONDS_A_MINUTE - place[0]) <= _PENDING_MINUTES


def batch_parts(batch_id: str) -> dict[int, int]:
    """The parts of a pushed batch that are readable: part -> number of parts in all."""
    place = batch_place(batch_id)
    found: dict[int, int] = {}
    if place:
        for row in table.query(f"B#{place[0]}#{place[1]}"):
            found.update(orjson.loads(row["batches"]).get(batch_id, []))
    return found


def select(wanted: Filter, *, after: Reference | None = None, descending: bool = False) -> Iterator[Reference]:
    """The references of a filter in order of (created, id), each once, lazily; edits and deletions applied."""
    for some in batched(_posted(wanted, after=after, descending=descending), _LOOKED_UP_AT_ONCE, strict=False):
        changes = _changes(some)
        for reference in some:
            if (reference.id, GONE) not in changes and _still_tagged(wanted, changes.get((reference.id, _EDIT))):
                yield reference


def _posted(wanted: Filter, *, after: Reference | None, descending: bool) -> Iterator[Reference]:
    low = max(wanted.created_after or 0, after.created if after and not descending else 0)
    highs = [wanted.created_before, after.created if after and descending else None]
    high = min((bound for bound in highs if bound is not None), default=None)
    for references in postings.walk(wanted.dimensions(), low, high, descending=descending):
        named = _named(sorted(references.values(), key=lambda one: one.order))
        for reference in reversed(named) if descending else named:
            in_time = low <= reference.created and (high is None or reference.created <= high)
            behind = after and (reference.order >= after.order if descending else reference.order <= after.order)
            if in_time and not behind:
                yield reference


def _named(references: Iterable[Reference]) -> list[Reference]:
    """Each under a name of its own: two batches on their way at once may have brought other bytes under one id."""
    owners: dict[str, str] = {}
    return [
        one if owners.setdefault(one.id, one.hash) == one.hash else one._replace(id=f"{one.id}-{one.hash[:_SHOWN]}")
        for one in references
    ]


def _changes(references: Iterable[Reference]) -> dict[tuple[str, str], table.Row]:
    """The edits and deletions of these, by (id, kind)."""
    keys = [(f"C#{one.id}", kind) for one in references for kind in (_EDIT, GONE)]
    return {(pk.removeprefix("C#"), sk): row for (pk, sk), row in table.get_all(keys).items()}


def _still_tagged(wanted: Filter, edit: table.Row | None) -> bool:
    return edit is None or wanted.metadata.items() <= orjson.loads(edit["metadata"]).items()


def find(completion_id: str, *, deleted: bool = False) -> Reference | None:
    """The reference of one completion by its id; the first recorded where other bytes hold the same id.

    None where there is none, or where it was deleted, unless `deleted` asks for those too: a cursor may be one.
    """
    found = {row["sk"]: row for row in table.query(f"C#{completion_id}")}
    if GONE in found and not deleted:
        return None
    origin, _, shown = completion_id.rpartition("-")
    stored = [row for sk, row in found.items() if not sk.startswith("~")]
    if not stored and origin and len(shown) == _SHOWN:
        stored = list(table.query(f"C#{origin}", prefix=shown))
    if not stored:
        return None
    row = min(stored, key=lambda row: (row["created"], row["sk"]))
    return Reference(row["created"], completion_id, row["sk"], row["object"], row["offset"], row["length"])


def edit(completion: Completion, reference: Reference, metadata: dict[str, str]) -> None:
    """Replace the metadata of a completion. The postings come first: without the edit itself they find nothing."""
    table.write_all(postings.rows(f"edit-{new_id('')}", [(reference, postings.tags(metadata))]))
    table.put({"pk": f"C#{completion.id}", "sk": _EDIT, "metadata": orjson.dumps(metadata).decode()})


def delete(completion_id: str) -> None:
    """Delete a completion: it stays deleted, also when it is pushed again."""
    table.put({"pk": f"C#{completion_id}", "sk": GONE, "at": now()})


def known_hashes(completion_ids: Sequence[str]) -> dict[str, set[str]]:
    """The content hashes already recorded under each of these ids, and GONE where it was deleted."""
    with ThreadPoolExecutor(_READERS) as pool:
        found = pool.map(lambda one: {row["sk"] for row in table.query(f"C#{one}")} - {_EDIT}, completion_ids)
    return dict(zip(completion_ids, found, strict=True))


def read(references: Iterable[Reference]) -> Iterator[Completion]:
    """The completions of these references with their edited metadata, in their order, read by some hundreds."""
    with ThreadPoolExecutor(_READERS) as pool:
        for some in batched(references, _READ_AHEAD, strict=False):
            by_object: dict[str, list[Reference]] = defaultdict(list)
            for reference in some:
                by_object[reference.object].append(reference)
            bodies: dict[Reference, Completion] = {}
            for found in pool.map(_read_object, by_object.items()):
                bodies.update(found)
            changes = _changes(some)
            for reference in some:
                edited = changes.get((reference.id, _EDIT))
                body = bodies[reference]
                body = body if body.id == reference.id else body.under(reference.id)
                yield body.model_copy(update={"metadata": orjson.loads(edited["metadata"])}) if edited else body


def _read_object(wanted: tuple[str, list[Reference]]) -> dict[Reference, Completion]:
    key, references = wanted
    if len(references) >= _WHOLE_OBJECT_FROM:
        body = blobs.get(key)
        frames = {one: body[one.offset : one.offset + one.length] for one in references}
    else:
        frames = {one: blobs.get(key, offset=one.offset, length=one.length) for one in references}
    return {one: Completion.model_validate_json(zstd.decompress(frame)) for one, frame in frames.items()}
