"""Fix the rows of a run and fan them out in chunks.

In: `PlanRun`. Out: one JSONL object of rows, written once whatever is redelivered, and a `GradeChunk` for each range of
it. A source without rows, a missing file or a line of it that is no row ends the run as failed. A canceled run is not
planned; it tells that it has ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import batched
from typing import Any

import orjson

from foundation import blobs, queues
from foundation.errors import ApiError
from foundation.evals import ROWS_A_CHUNK, FileContent, FileId, JsonlSource, Run
from foundation.events import GradeChunk
from foundation.files import File, check_lines
from foundation.settings import settings
from foundation.stored import StoredCompletions, StoredResponses, selected
from grading.ended import end, tell_again

_FILE = "data_source.source.id"


def plan(run_id: str) -> None:
    """Write the rows of the run unless they are written, then send its chunks."""
    run = Run.find(run_id)
    if run is None:
        return
    if run.ended:
        tell_again(run)
        return
    try:
        key = _rows_key(run)
        chunks = list(_chunks(run_id, key))
    except ApiError as error:
        end(run, status="failed", error={"code": error.code or "invalid_source", "message": error.message})
        return
    if not chunks:
        message = "The data source selects no rows."
        end(run, status="failed", error={"code": "no_rows", "message": message})
        return
    run.change({"status": "in_progress"}, where={"status": "queued"})
    queues.send_all(
        settings().GRADE_QUEUE_URL,
        [chunk.model_copy(update={"chunks": len(chunks)}) for chunk in chunks],
    )


def _rows_key(run: Run) -> str:
    """Where the rows lie: a copy of what the source gave at this moment, or a file that nobody can delete."""
    source = run.data_source.source
    key = f"runs/{run.id}/rows.jsonl"
    if isinstance(source, FileId):
        file = File.load(source.id, param=_FILE)
        if not file.owned:
            return file.key
        lines = b"" if blobs.find(key) else _uploaded(file)
    elif isinstance(source, FileContent):
        lines = _lines(row.model_dump(exclude_none=True) for row in source.content)
    else:
        lines = _lines(_stored_rows(source, graded_as_stored=_keeps_samples(run)))
    if lines:
        blobs.put_new(key, lines, content_type="application/jsonl")
    elif blobs.find(key) is None:
        raise ApiError("The data source selects no rows.", code="no_rows", param="data_source.source")
    return key


def _uploaded(file: File) -> bytes:
    """The lines of an uploaded file, of which only item and sample are taken. Raises ApiError where one is no row."""
    body = blobs.find(file.key)
    if body is None:
        raise ApiError("The file has no content.", code="file_not_found", param=_FILE)
    check_lines(body, "evals", param=_FILE)
    rows = (orjson.loads(line) for line in body.splitlines() if line.strip())
    return _lines({name: row[name] for name in ("item", "sample") if row.get(name) is not None} for row in rows)


def _lines(rows: Iterable[dict[str, Any]]) -> bytes:
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


def _keeps_samples(run: Run) -> bool:
    return not isinstance(run.data_source, JsonlSource) and not run.data_source.model


def _stored_rows(source: StoredCompletions | StoredResponses, *, graded_as_stored: bool) -> Iterator[dict[str, Any]]:
    """Rows of a response have its own items as input, and beside them the messages to ask a model with."""
    for completion in selected(source):
        row = completion.row(with_sample=graded_as_stored)
        if isinstance(source, StoredResponses) and completion.original:
            row["messages"] = row["item"]["input"]
            row["item"]["input"] = completion.original["input_items"]
        yield row


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
        raise ApiError("The file has no content.", code="file_not_found", param=_FILE)
    yield from body.splitlines(keepends=True)
