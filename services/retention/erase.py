"""Erase the bytes of deleted completions from their objects in S3, their tags from the index, and their corrections.

In: the deletions that are older than an hour; by then no recorder can still be writing one of them. Out: objects
with a skippable zstd frame in the place of each deleted completion, and pairs of rollouts without them. An object is
rewritten once for all deletions in it. A sweep that was interrupted is continued by the next; erasing twice changes
nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from completions import changes, corrections, dimensions, frames, index, postings
from completions.changes import erasures
from completions.postings import SHARDS, Reference
from foundation import blobs, table
from foundation.ids import now
from foundation.isolate import isolate
from retention.copies import erase_copies
from retention.failures import Failures

_GRACE_S = 3600
_AT_ONCE = 1000

type _Frame = tuple[int, int]
"""Offset and length of a completion's frame in its object."""


def erase(goes_on: Callable[[], bool], failures: Failures) -> int:
    """Erase what is due as long as `goes_on()` is true. Returns the number of erased completions.

    A deletion that cannot be worked on is added to `failures`, and the others go on.
    """
    erased = 0
    for deletions in _due():
        if not goes_on():
            break
        guilty = list(isolate(deletions, _erase))
        failures.add((f"the deletion {row['sk']}", error) for row, error in guilty)
        erased += len(deletions) - len(guilty)
    return erased


def _due() -> Iterator[list[table.Row]]:
    """The rows of deletions that are due, a thousand at once."""
    for shard in range(SHARDS):
        after = None
        while rows := list(
            table.query(erasures(shard), after=after, before=f"{now() - _GRACE_S:010d}", limit=_AT_ONCE)
        ):
            yield rows
            after = rows[-1]["sk"]


def _erase(deletions: Sequence[table.Row]) -> None:
    frames_by_object: dict[str, set[_Frame]] = defaultdict(set)
    for minute, ids in _ids_by_minute(deletions).items():
        _forget_minute(minute, ids, frames_by_object)
    for key, places in frames_by_object.items():
        # An object that is gone holds nothing to erase.
        body = blobs.find(key)
        wiped = None if body is None else frames.wipe(body, places)
        if wiped is not None and wiped != body:
            blobs.put(key, wiped)
    at_work = erase_copies({_completion_of(row) for row in deletions})
    for row in deletions:
        corrections.erase(_completion_of(row))
        if _completion_of(row) not in at_work:
            table.delete(row["pk"], row["sk"])


def _completion_of(deletion: table.Row) -> str:
    return str(deletion["sk"].split("#", 2)[2])


def _ids_by_minute(deletions: Sequence[table.Row]) -> dict[int, set[str]]:
    """The deleted ids by the minutes in which completions of theirs are listed.

    A completion that was still in the recorder's queue when its id was deleted may be listed in another minute than the
    deletion names. It is hidden from the lists first.
    """
    ids_by_minute: dict[int, set[str]] = defaultdict(set)
    for row in deletions:
        _, minute, completion_id = row["sk"].split("#", 2)
        late = [reference for reference in index.places(completion_id) if reference.minute != int(minute)]
        changes.hide(late)
        for listed_in in (int(minute), *(reference.minute for reference in late)):
            ids_by_minute[listed_in].add(completion_id)
    return ids_by_minute


def _forget_minute(minute: int, ids: set[str], frames_by_object: dict[str, set[_Frame]]) -> None:
    """Take the tags of these ids from the index of one minute, and note where their frames lie."""
    rows = list(postings.of_minute(minute))
    recorded = postings.once(reference for _, references in rows for reference in references)
    deleted = {
        (reference.id, reference.hash)
        for reference, named in zip(recorded, index.named(recorded), strict=True)
        if named.id in ids
    }
    for row, references in rows:
        places = {place for place, reference in enumerate(references) if (reference.id, reference.hash) in deleted}
        for place in places:
            frames_by_object[references[place].object].add((references[place].offset, references[place].length))
        if any(references[place].metadata for place in places):
            _forget(row, references, places)


def _forget(row: table.Row, references: list[Reference], places: set[int]) -> None:
    """Take the tags of the references at these places from the index. Their ids, times and counts stay."""
    shard = row["pk"].rpartition("#")[2]
    tagged = {tag for place in places for tag in dimensions.tags(references[place].metadata or {})}
    held = table.get_all((postings.key_of(tag, shard), row["sk"]) for tag in tagged)
    for (pk, sk), row_of_tag in held.items():
        left = [place for place in postings.unpacked_places(row_of_tag) if place not in places]
        if left:
            table.put({"pk": pk, "sk": sk, "at": postings.packed_places(left)})
        else:
            table.delete(pk, sk)
    kept = [
        reference._replace(metadata={}) if place in places else reference for place, reference in enumerate(references)
    ]
    table.put({"pk": row["pk"], "sk": row["sk"], **postings.packed(kept)})
