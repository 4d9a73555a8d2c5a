"""Fix the rows of a run and fan them out in chunks.

In: `PlanRun`. Out: where each model is asked, pinned in the run; one JSONL object of rows, which is written once even
if the message is delivered several times; and a `GradeChunk` for each range of it. If the provider's Batch API is to
sample the rows first, a `SampleBatch` for every twenty chunks goes out instead. A source without rows, a missing file
or a line that is no row ends the run as failed. A run that has ended is not planned; its end is announced again.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import batched, zip_longest
from typing import Any

import orjson

from aliases.alias import Alias
from completions.sources import StoredCompletions, StoredResponses, selected
from distillations import lineage
from distillations.failure import Failure
from distillations.lineage import Node
from evals.data_sources import FileContent, FileId, JsonlSource
from evals.eval import Eval
from evals.files import File, checked
from evals.output_items import ROWS_A_CHUNK
from evals.run import Run
from foundation import blobs, bus
from foundation.errors import ApiError
from foundation.events import GradeChunk, SampleBatch
from foundation.ids import now
from grading.ended import end, tell_again
from providers import registry
from providers.pins import Pin, pins_of

# The most bytes of a chunk, and of the chunks of one batch: a worker holds them in memory several times over, and a
# provider takes batches of at most 200 MB.
_MOST_BYTES = 64_000_000
_CHUNKS_A_BATCH = 20
_LINKED_AT_ONCE = 100
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
        end(run, status="failed", error=Failure(code=error.code or "invalid_source", message=error.message))
        return
    if not chunks:
        message = "The data source selects no rows."
        end(run, status="failed", error=Failure(code="no_rows", message=message))
        return
    alias = Alias.find(run.model) if run.answers == "sampled" else None
    started = {"status": "in_progress", "rows": _rows(chunks[-1]), "started_at": now(), "pins": _pins(run, alias)}
    if alias:
        started["alias"] = alias.model_dump(mode="json")
    run.change(started, where={"status": "queued"})
    known = [chunk.model_copy(update={"chunks": len(chunks)}) for chunk in chunks]
    if getattr(run.data_source, "batch", None):
        bus.send_all(_parts(run, known))
    else:
        bus.send_all(known)


def _pins(run: Run, alias: Alias | None) -> dict[str, Pin]:
    """Where the run's model, or those of the alias that it is, and those of its judges are asked."""
    eval_ = Eval.find(run.eval_id)
    judges = [model for criterion in (eval_.testing_criteria if eval_ else ()) for _, model in criterion.models()]
    targets = [target.model for target in alias.targets] if alias else [run.model]
    own = targets if run.answers == "sampled" else []
    return pins_of(dict.fromkeys([*own, *judges]), registry.providers())


def _parts(run: Run, chunks: list[GradeChunk]) -> Iterator[SampleBatch]:
    members: list[GradeChunk] = []
    part = 0
    for chunk, following in zip_longest(chunks, chunks[1:]):
        members.append(chunk)
        length = sum(member.length for member in members)
        if not following or len(members) == _CHUNKS_A_BATCH or length + following.length > _MOST_BYTES:
            yield SampleBatch(run_id=run.id, part=part, model=run.model, chunks=members, since=now())
            members, part = [], part + 1


def _rows_key(run: Run) -> str:
    """The key of the rows: a copy of what the source selects now, or the file itself if no caller can delete it."""
    source = run.data_source.source
    key = f"runs/{run.id}/rows.jsonl"
    if blobs.exists(key):
        return key
    rows: Iterator[dict[str, Any]]
    if isinstance(source, FileId):
        file = File.load(source.id, param=_FILE)
        if not file.owned:
            return file.key
        rows = _uploaded(file)
    elif isinstance(source, FileContent):
        rows = (row.model_dump(exclude_none=True) for row in source.content)
    else:
        rows = _linked(run, _stored_rows(source, graded_as_stored=_keeps_samples(run)))
    lines = (orjson.dumps(row) + b"\n" for row in rows)
    if not blobs.put_new_lines(key, lines, content_type="application/jsonl") and not blobs.exists(key):
        raise ApiError("The data source selects no rows.", code="no_rows", param="data_source.source")
    return key


def _uploaded(file: File) -> Iterator[dict[str, Any]]:
    """The rows of an uploaded file, each with its item and sample alone. Raises ApiError if a line is no row."""
    for row in checked(_raw_lines(file.key), param=_FILE):
        yield {name: row[name] for name in ("item", "sample") if row.get(name) is not None}


def _keeps_samples(run: Run) -> bool:
    return not isinstance(run.data_source, JsonlSource) and not run.data_source.model


def _linked(run: Run, rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The same rows, once it is recorded that their completions went into the run: no row is kept without that."""
    node = Node("run", run.id)
    for some in batched(rows, _LINKED_AT_ONCE, strict=False):
        lineage.link_completions((row["item"]["completion_id"] for row in some), node)
        yield from some


def _stored_rows(source: StoredCompletions | StoredResponses, *, graded_as_stored: bool) -> Iterator[dict[str, Any]]:
    """The completions of a source as rows.

    The `input` of a captured response's row are the response's own items; `messages` beside it has the chat messages
    with which a model is asked.
    """
    for completion in selected(source):
        row = completion.row(with_sample=graded_as_stored)
        if isinstance(source, StoredResponses) and completion.original:
            row["messages"] = row["item"]["input"]
            row["item"]["input"] = completion.original["input_items"]
        yield row


def _chunks(run_id: str, key: str) -> Iterator[GradeChunk]:
    """The chunks of the rows object: ranges of up to ROWS_A_CHUNK lines. Empty lines are no rows.

    `chunks`, their total, is still 0 in each. Raises ApiError if a chunk has too many bytes.
    """
    offset = first_row = number = 0
    for lines in batched(_raw_lines(key), ROWS_A_CHUNK, strict=False):
        length = sum(len(line) for line in lines)
        rows = sum(1 for line in lines if line.strip())
        if length > _MOST_BYTES:
            message = f"Rows {first_row} to {first_row + rows} have {length} bytes, at most {_MOST_BYTES} are graded."
            raise ApiError(message, code="rows_too_large", param="data_source.source")
        if rows:
            yield GradeChunk(
                run_id=run_id,
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


def _rows(last: GradeChunk) -> int:
    """How many rows the run has: all up to the end of its last chunk."""
    lines = blobs.get(last.key, offset=last.offset, length=last.length).splitlines()
    return last.first_row + sum(1 for line in lines if line.strip())


def _raw_lines(key: str) -> Iterator[bytes]:
    lines = blobs.raw_lines(key)
    if lines is None:
        raise ApiError("The file has no content.", code="file_not_found", param=_FILE)
    return lines
