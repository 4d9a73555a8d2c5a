"""Finish what a recorder left half done: an object without all of its rows.

In: objects begun more than an hour ago, by when their recorder is dead. Out: the object's rows, as the recorder would
have written them; its completions may meanwhile lie in another object too, and are listed once. Without it the bytes of
a deleted completion could lie in an object that nothing names.
"""

from __future__ import annotations

from collections.abc import Callable

from completions import frames, index
from foundation import blobs, table
from foundation.ids import now_ms

_GRACE_MS = 3600 * 1000


def repair(goes_on: Callable[[], bool]) -> int:
    """Finish what is due while there is time; how many objects."""
    repaired = 0
    for object_id, key in frames.unfinished(before_ms=now_ms() - _GRACE_MS):
        if not goes_on():
            break
        body = blobs.find(key)
        if body is not None:
            table.write_all(index.rows(object_id, frames.unpack(body, key)))
        frames.finish(object_id)
        repaired += 1
    return repaired
