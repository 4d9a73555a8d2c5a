"""Write the missing rows of objects whose recorder died before it had written them all.

An object that was begun more than an hour ago is no longer being written. Its rows are written from its content, just
as the recorder would have written them. Its messages were delivered again, so its completions usually lie in another
object too; lists show them once. Without this repair, the bytes of a completion that is deleted could stay in an
object that no row names.
"""

from __future__ import annotations

from collections.abc import Callable

from completions import changes, frames, index
from foundation import blobs, table
from foundation.ids import now_ms
from retention.failures import Failures

_GRACE_MS = 3600 * 1000


def repair(goes_on: Callable[[], bool], failures: Failures) -> int:
    """Finish the objects that are due as long as `goes_on()` is true. Returns the number of finished objects.

    One that cannot be finished is added to `failures`, and the others go on.
    """
    repaired = 0
    for object_id, key in frames.unfinished(before_ms=now_ms() - _GRACE_MS):
        if not goes_on():
            break
        with failures.kept(f"the object {key}"):
            _finish(object_id, key)
            repaired += 1
    return repaired


def _finish(object_id: str, key: str) -> None:
    body = blobs.find(key)
    if body is not None:
        references = frames.unpack(body, key)
        # Their deletions may have been worked off while no row named this object: a later sweep looks again. They come
        # before the rows, so that no list ever shows what was deleted.
        changes.delete(index.deleted(references))
        table.write_all(index.rows(object_id, references))
    frames.finish(object_id)
