"""Fix the rows of a run and fan them out in chunks.

In: `PlanRun`. Out: one JSONL object of rows, written once whatever is redelivered, and a `GradeChunk` for each range of
it. A source without rows, or a missing file, ends the run as failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import batched
from typing import Any

import orjson

from foundation import blobs, index, queues
from foundation.distillations import File
from foundation.errors import ApiError
from foundation.evals import (
    ROWS_A_CHUNK,
    CompletionsSource,
    FileContent,
    FileId,
    Run,
    StoredCompletions,
)
from foundation.events import GradeChunk
from foundation.settings import settings
from grading.ended import tell_again


def plan(run_id: str) -> None:
    """Write the rows of the run unless they are written, then send its chunks."""
    run = Run.load(run_id)
    if run.ended:
        tell_again(run)
        return
    try:
        key = _rows_key(run)
        chunks = list(_chunks(run_id, key))
    except ApiError as error:
        run.finish(status="failed", error={"code": error.code or "invalid_source", "message": error.message})
        return
    if not chunks:
        message = "The data source selects no rows."
        run.finish(status="failed", error={"code": "no_rows", "message": message})
        return
    run.change({"status": "in_progress"}, where={"status": "queued"})
    queues.send_all(
        settings().GRADE_QUEUE_URL,
        [chunk.model_copy(update={"chunks": len(chunks)}) for chunk in chunks],
    )


def _rows_key(run: Run) -> str:
    """Where the rows lie: the file as it was uploaded, or a copy of what the source gave at this moment."""
    source = run.data_source.source
    if isinstance(source, FileId):
        return File.load(source.id, param="data_source.source.id").key
    key = f"runs/{run.id}/rows.jsonl"
    if isinstance(source, FileContent):
        rows: Iterable[dict[str, Any]] = (row.model_dump(exclude_none=True) for row in source.content)
    else:
        rows = _stored_rows(source, graded_as_stored=_keeps_samples(run))
    lines = b"".join(orjson.dumps(row) + b"\n" for row in rows)
    if lines:
        blobs.put_new(key, lines, content_type="application/jsonl")
    elif blobs.find(key) is None:
        raise ApiError("The data source selects no rows.", code="no_rows", param="data_source.source")
    return key


def _keeps_samples(run: Run) -> bool:
    return isinstance(run.data_source, CompletionsSource) and not run.data_source.model


def _stored_rows(source: StoredCompletions, *, graded_as_stored: bool) -> Iterator[dict[str, Any]]:
    for completion in index.completions(source, limit=source.limit):
        yield completion.row(with_sample=graded_as_stored)


def _chunks(run_id: str, key: str) -> Iterator[GradeChunk]:
    """Ranges of the rows object, some 50 lines each; lines that hold nothing are no rows."""
    offset = first_row = number = 0
    for lines in batched(_raw_lines(key), ROWS_A_CHUNK, strict=False):
        length = sum(len(line) for line in lines)
        rows = sum(1 for line in lines if line.strip())
        if rows:
            yield GradeChunk(
                run_id=run_id,
                correlation_id=run_id,
                chunk=number,
                chunks=0,
                first_row=first_row,
                key=key,
                offset=offset,
                length=length,
            )
            number += 1
        offset += length
        first_row += rows


def _raw_lines(key: str) -> Iterator[bytes]:
    body = blobs.find(key)
    if body is None:
        raise ApiError("The file has no content.", code="file_not_found", param="data_source.source.id")
    yield from body.splitlines(keepends=True)
