"""The rows of a run that is begun by the stack itself: written where its plan looks for them, as a file of its own.

In: rows, each `{item, sample?, request?, latency_ms?}`. Out: the file, written once: whoever asks again finds it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import orjson

from evals.files import File, rows_file_id
from foundation import blobs
from foundation.ids import now


def rows_key(run_id: str) -> str:
    return f"runs/{run_id}/rows.jsonl"


def write_rows(run_id: str, filename: str, rows: Callable[[], Iterator[dict[str, Any]]]) -> File | None:
    """Write the rows of the run unless they are there. None where there are none, and nothing was written."""
    written = File.find(rows_file_id(run_id))
    if written:
        return written
    given = rows()
    first = next(given, None)
    if first is None:
        return None
    key = rows_key(run_id)
    lines = (orjson.dumps(row) + b"\n" for row in chain([first], given))
    blobs.put_new_lines(key, lines, content_type="application/jsonl")
    file = File(
        id=rows_file_id(run_id),
        created_at=now(),
        bytes=blobs.size(key),
        filename=filename,
        purpose="evals",
        key=key,
    )
    file.create()
    return file
