"""Runs of an eval and their output items. Shapes: OpenAI's, `/v1/evals/{id}/runs`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from pydantic import BaseModel

from api import retried, sources
from api.figures import figures
from completions.completion import Metadata
from distillations.distillation import TERMINAL, Distillation
from evals.counts import chunks_from, graded_chunks, is_graded, totals
from evals.data_sources import DataSource
from evals.eval import Eval
from evals.output_item import OutputItem
from evals.output_items import ROWS_A_CHUNK, output_item_row, output_items
from evals.run import Run, new_run
from foundation import blobs, bus, http, table
from foundation.errors import Conflict, NotFound
from foundation.events import PlanRun
from foundation.routes import PAGE, Query, Routes
from foundation.settings import settings

router = Routes("Runs")
_UNKNOWN = {404: "The eval, a model, or the file of the rows does not exist."}
_OVER = {409: "The run is over."}
_RUN_STATUS = Query("status", "Only runs of this status.")
_ITEM_STATUS = Query("status", "Only items of this status: `pass`, `fail` or `error`.")
_INTERNAL: Any = {
    "distillation_id": True,
    "latency_ms": True,
    "rows": True,
    "started_at": True,
    "per_testing_criteria_results": {"__all__": {"errored", "scores", "fractions"}},
}


class NewRun(BaseModel):
    """What a caller sends."""

    name: str = ""
    data_source: DataSource
    metadata: Metadata | None = None


@router.post("/v1/evals/<eval_id>/runs", scope="write", status=201, answer=Run, errors=_UNKNOWN)
def create_run(eval_id: str, asked: NewRun) -> dict[str, Any]:
    """Start a run: grade rows, as they are or sampled from a model."""
    eval_ = Eval.load(eval_id, param="eval_id")
    data_source = sources.within(asked.data_source, eval_)
    sources.check(data_source)
    run_id = retried.object_id(router, "evalrun_")
    run = new_run(
        run_id,
        eval_,
        name=asked.name or run_id,
        data_source=sources.kept(data_source, run_id),
        metadata=asked.metadata,
        rows=sources.rows_of(data_source),
    )
    if not run.create():
        run = Run.load(run_id)
    _plan(run)
    return shown(run)


@router.get("/v1/evals/<eval_id>/runs/<run_id>", scope="read", answer=Run)
def retrieve_run(eval_id: str, run_id: str) -> dict[str, Any]:
    """Retrieve a run with its counts so far."""
    return shown(run_of(eval_id, run_id))


@router.get("/v1/evals/<eval_id>/runs", scope="read", lists=Run, query=(*PAGE, _RUN_STATUS))
def list_runs(eval_id: str) -> dict[str, Any]:
    """List the runs of an eval."""
    Eval.load(eval_id, param="eval_id")
    status, limit = http.query_of(router, "status"), http.limit_of(router)
    found = Run.every(parent=eval_id, after=http.query_of(router, "after"), descending=http.descending(router))
    runs = list(islice((run for run in found if status in {None, run.status}), limit + 1))
    return http.listed([shown(run) for run in runs[:limit]], has_more=len(runs) > limit)


# Older SDKs cancel at the run's own path.
@router.post("/v1/evals/<eval_id>/runs/<run_id>", scope="write", answer=Run, errors=_OVER, alias=True)
@router.post("/v1/evals/<eval_id>/runs/<run_id>/cancel", scope="write", answer=Run, errors=_OVER)
def cancel_run(eval_id: str, run_id: str) -> dict[str, Any]:
    """Cancel a run. Canceling it again is no error."""
    run = run_of(eval_id, run_id)
    if not run.cancel() and (run := run_of(eval_id, run_id)).status != "canceled":
        raise Conflict(f"This run is over: {run.status}.", code="already_ended")
    _plan(run)
    return shown(run_of(eval_id, run_id))


@router.delete(
    "/v1/evals/<eval_id>/runs/<run_id>",
    scope="write",
    answer="openai.types.evals.RunDeleteResponse",
    errors={409: "A distillation waits for this run."},
)
def delete_run(eval_id: str, run_id: str) -> dict[str, Any]:
    """Delete a run and its output items; an open run is canceled first."""
    run = run_of(eval_id, run_id)
    _refuse_while_waited_for(run)
    run.cancel()
    # Itself last, so that a deletion that breaks off can be asked for again.
    blobs.delete(blobs.keys(f"runs/{run_id}/"))
    for row in list(table.query(run_id)):
        table.delete(row["pk"], row["sk"])
    run.remove()
    return {"object": "eval.run.deleted", "deleted": True, "run_id": run_id}


def cancel_open_runs(eval_id: str) -> None:
    """End every run of an eval that is still open. Raises Conflict where a distillation waits for one."""
    still_open = [run for run in Run.every(parent=eval_id) if not run.ended]
    for run in still_open:
        _refuse_while_waited_for(run)
    for run in still_open:
        if run.cancel():
            _plan(run)


@router.get(
    "/v1/evals/<eval_id>/runs/<run_id>/output_items",
    scope="read",
    lists=OutputItem,
    query=(*PAGE, _ITEM_STATUS),
)
def list_output_items(eval_id: str, run_id: str) -> dict[str, Any]:
    """List the output items of a run: each row with its sample and its grades."""
    run = run_of(eval_id, run_id)
    limit = http.limit_of(router)
    found = _items(
        run,
        after=http.query_of(router, "after"),
        status=http.query_of(router, "status"),
        descending=http.descending(router),
    )
    items = list(islice(found, limit + 1))
    return http.listed(items[:limit], has_more=len(items) > limit)


@router.get(
    "/v1/evals/<eval_id>/runs/<run_id>/output_items/<item_id>",
    scope="read",
    answer=OutputItem,
)
def retrieve_output_item(eval_id: str, run_id: str, item_id: str) -> dict[str, Any]:
    """Retrieve an output item."""
    run = run_of(eval_id, run_id)
    chunk = _chunk_of(run, item_id)
    if chunk is not None and is_graded(run.id, chunk):
        return next(item for item in output_items(run.id, chunk) if item["id"] == item_id)
    raise NotFound("output item", item_id, param="output_item_id")


def shown(run: Run) -> dict[str, Any]:
    """A run as the API gives it; with the counts so far, which a chunk at work may still raise after the end."""
    if run.status in {"in_progress", "canceled"}:
        run = Run.model_validate({**run.model_dump(), **totals(graded_chunks(run.id))})
    document = run.model_dump(mode="json", exclude=_INTERNAL)
    report_url = f"{settings().API_URL}/evals/{run.eval_id}/runs/{run.id}"
    return {**document, **figures(run), "report_url": report_url}


def _plan(run: Run) -> None:
    """Have it planned; one that is canceled tells that it is."""
    bus.send(PlanRun(run_id=run.id))


def run_of(eval_id: str, run_id: str) -> Run:
    """The run, by both ids. Raises NotFound."""
    Eval.load(eval_id, param="eval_id")
    run = Run.load(run_id, param="run_id")
    if run.eval_id != eval_id:
        raise NotFound("eval run", run_id, param="run_id")
    return run


def _refuse_while_waited_for(run: Run) -> None:
    waiting = Distillation.find(run.distillation_id) if run.distillation_id else None
    if waiting and waiting.status not in TERMINAL:
        raise Conflict(
            f"The distillation {waiting.id} waits for the run {run.id}. "
            f"End it first: POST /v1/distillations/{waiting.id}/cancel",
            code="run_in_use",
        )


def _items(run: Run, *, after: str | None, status: str | None, descending: bool) -> Iterator[dict[str, Any]]:
    """The items behind `after`, lazily: a page reads the chunks that it shows, not the run."""
    first = None if after is None else _chunk_of(run, after)
    skipping = after is not None
    for chunk in [] if skipping and first is None else chunks_from(run.id, first, descending=descending):
        items = output_items(run.id, chunk.chunk)
        for item in reversed(items) if descending else items:
            if skipping:
                skipping = item["id"] != after
            elif status in {None, item["status"]}:
                yield item


def _chunk_of(run: Run, item_id: str) -> int | None:
    """The chunk that holds an item; every chunk but the last has as many rows. None where it is no item of the run."""
    row = output_item_row(run.id, item_id, run.rows or 0)
    return None if row is None else row // ROWS_A_CHUNK
