"""Captured completions that the recorder may not have written yet, so that the next call can name one at once.

In: a completion that was handed over. Out: the same one by its id, for a quarter of an hour; the recorder takes
seconds. A small one lies packed in its row, a larger one in S3 beside the answers that are read by a link.

    NEW#<id>    / COMPLETION    the completion, or the key of its object; expires
"""

from __future__ import annotations

from backports import zstd

from completions.completion import Completion
from completions.postings import Reference
from foundation import blobs, links, table
from foundation.ids import now

_SK = "COMPLETION"
_MOST_IN_ROW = 300_000


def keep(completion: Completion) -> None:
    """Make a completion readable by `find`."""
    packed = zstd.compress(completion.line())
    row: table.Row = {"pk": _pk(completion.id), "sk": _SK, "expires": now() + links.LINK_S}
    if len(packed) <= _MOST_IN_ROW:
        table.put({**row, "body": packed})
    else:
        table.put({**row, "key": links.copied(packed, content_type="application/zstd")})


def find(completion_id: str) -> Completion | None:
    """The completion that was kept under this id within the last quarter of an hour."""
    row = table.get(_pk(completion_id), _SK)
    # DynamoDB may take days to delete a row that has expired.
    if row is None or row["expires"] < now():
        return None
    return Completion.read(zstd.decompress(row["body"] if "body" in row else blobs.get(row["key"])))


def reference(completion_id: str) -> Reference | None:
    """The reference of a kept completion, which has no object yet."""
    kept = find(completion_id)
    return Reference.of(kept, key="", offset=0, length=0) if kept else None


def forget(completion_id: str) -> None:
    """Keep a completion no longer."""
    table.delete(_pk(completion_id), _SK)


def _pk(completion_id: str) -> str:
    return f"NEW#{completion_id}"
