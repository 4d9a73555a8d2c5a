"""Erase the bytes of deleted completions: from their batch objects, and their tags from the index.

In: the deletions that are older than an hour, by when no recorder can still be at work on such a record. Out: objects
in which a skippable frame stands where each was. An object is rewritten once for all that go from it. Interrupted, it
goes on where it was; done twice, it changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

from completions import changes, frames, index, postings
from completions.changes import erasures
from completions.postings import SHARDS
from foundation import blobs, table
from foundation.ids import now

_GRACE_S = 3600
_AT_ONCE = 1000


def erase(goes_on: Callable[[], bool]) -> int:
    """Erase what is due while there is time; how many completions."""
    erased = 0
    for due in _due():
        if not goes_on():
            break
        _erase(due)
        erased += len(due)
    return erased


def _due() -> Iterator[list[table.Row]]:
    for shard in range(SHARDS):
        while some := list(table.query(erasures(shard), before=f"{now() - _GRACE_S:010d}", limit=_AT_ONCE)):
            yield some


def _erase(due: list[table.Row]) -> None:
    objects: dict[str, set[tuple[int, int]]] = defaultdict(set)
    for minute, names in _recorded(due).items():
        _forget_minute(minute, names, objects)
    for key, places in objects.items():
        body = blobs.get(key)
        wiped = frames.wipe(body, places)
        if wiped != body:
            blobs.put(key, wiped)
    for row in due:
        table.delete(row["pk"], row["sk"])


def _recorded(due: list[table.Row]) -> dict[int, set[str]]:
    """The minutes in which these stand: also where a push was still on its way when its id was deleted."""
    found: dict[int, set[str]] = defaultdict(set)
    for row in due:
        _, minute, name = row["sk"].split("#", 2)
        late = [one for one in index.places(name) if one.minute != int(minute)]
        changes.hide(late)
        for at in (int(minute), *(one.minute for one in late)):
            found[at].add(name)
    return found


def _forget_minute(minute: int, names: set[str], objects: dict[str, set[tuple[int, int]]]) -> None:
    rows = list(postings.of_minute(minute))
    recorded = postings.once(one for _, references in rows for one in references)
    listed = zip(recorded, index.named(recorded), strict=True)
    gone = {(one.id, one.hash) for one, named in listed if named.id in names}
    for row, references in rows:
        places = {place for place, one in enumerate(references) if (one.id, one.hash) in gone}
        for place in places:
            objects[references[place].object].add((references[place].offset, references[place].length))
        if any(references[place].metadata for place in places):
            postings.forget(row, references, places)
