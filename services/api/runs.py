"""Runs of an eval and their output items. Shapes: OpenAI's, `/v1/evals/{id}/runs`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import BaseModel

from api import retried
from api.models import require_model
from foundation import http, index, queues
from foundation.completions import Metadata
from foundation.distillations import File
from foundation.errors import ApiError, NotFound
from foundation.evals import (
    ROWS_A_CHUNK,
    ChunkCounts,
    CompletionsSource,
    DataSource,
    Eval,
    FileId,
    Run,
    StoredCompletions,
    graded_chunks,
    new_run,
    output_item_id,
    output_items,
    totals,
)
from foundation.events import PlanRun
from foundation.settings import settings

router = APIGatewayHttpRouter()
_CREATED = 201


class NewRun(BaseModel):
    """What a caller sends."""

    name: str = ""
    data_source: DataSource
    metadata: Metadata | None = None


@router.post("/v1/evals/<eval_id>/runs")
def create_run(eval_id: str) -> Response[Any]:
    eval_ = Eval.load(eval_id, param="eval_id")
    asked = http.body_of(router, NewRun)
    _check(asked.data_source)
    run_id = retried.object_id(router, "evalrun_")
    run = new_run(
        run_id,
        eval_,
        name=asked.name or run_id,
        data_source=asked.data_source,
        metadata=asked.metadata,
    )
    if not run.create():
        run = Run.load(run_id)
    queues.send(settings().PLAN_QUEUE_URL, PlanRun(run_id=run_id, correlation_id=run_id))
    return http.answer(shown(run), _CREATED)


@router.get("/v1/evals/<eval_id>/runs/<run_id>")
def retrieve_run(eval_id: str, run_id: str) -> dict[str, Any]:
    return shown(_run(eval_id, run_id))


@router.get("/v1/evals/<eval_id>/runs")
def list_runs(eval_id: str) -> dict[str, Any]:
    Eval.load(eval_id, param="eval_id")
    status, limit = http.query_of(router, "status"), http.limit_of(router)
    found = _runs(eval_id, after=http.query_of(router, "after"), at_once=limit + 1, descending=http.descending(router))
    runs = list(islice((run for run in found if status in {None, run.status}), limit + 1))
    return http.listed([shown(run) for run in runs[:limit]], has_more=len(runs) > limit)


@router.get("/v1/evals/<eval_id>/runs/<run_id>/output_items")
def list_output_items(eval_id: str, run_id: str) -> dict[str, Any]:
    run = _run(eval_id, run_id)
    limit = http.limit_of(router)
    found = _items(
        run,
        after=http.query_of(router, "after"),
        status=http.query_of(router, "status"),
        descending=http.descending(router),
    )
    items = list(islice(found, limit + 1))
    return http.listed(items[:limit], has_more=len(items) > limit)


@router.get("/v1/evals/<eval_id>/runs/<run_id>/output_items/<item_id>")
def retrieve_output_item(eval_id: str, run_id: str, item_id: str) -> dict[str, Any]:
    run = _run(eval_id, run_id)
    for chunk in graded_chunks(run.id):
        rows = range(chunk.first_row, chunk.first_row + chunk.counts.total)
        if any(output_item_id(run.id, row) == item_id for row in rows):
            return next(item for item in output_items(run.id, chunk.chunk) if item["id"] == item_id)
    raise NotFound("output item", item_id, param="output_item_id")


def shown(run: Run) -> dict[str, Any]:
    """A run as the API gives it; while it goes on, with the counts so far."""
    document = run.model_dump(mode="json", exclude={"distillation_id", "latency_ms"})
    if run.status == "in_progress":
        so_far = totals(graded_chunks(run.id))
        so_far.pop("latency_ms")
        document.update(so_far)
    return {**document, "report_url": ""}


def _runs(eval_id: str, *, after: str | None, at_once: int, descending: bool) -> Iterator[Run]:
    """The runs of an eval behind `after`: a page that a status leaves empty must not end the list."""
    while True:
        page = Run.page(parent=eval_id, after=after, limit=at_once, descending=descending)
        yield from page.data
        if not page.has_more or not page.data:
            return
        after = page.data[-1].id


def _run(eval_id: str, run_id: str) -> Run:
    run = Run.load(run_id, param="run_id")
    if run.eval_id != eval_id:
        raise NotFound("eval run", run_id, param="run_id")
    return run


def _check(data_source: DataSource) -> None:
    """Refuse what could never run, naming the field."""
    source = data_source.source
    if isinstance(source, FileId):
        File.load(source.id, param="data_source.source.id")
    elif isinstance(source, StoredCompletions) and next(index.completions(source, limit=1), None) is None:
        raise ApiError("The filter selects no stored completion.", code="no_rows", param="data_source.source")
    if isinstance(data_source, CompletionsSource):
        if data_source.model:
            require_model(data_source.model, param="data_source.model")
        elif data_source.input_messages:
            raise ApiError(
                "input_messages need a model to answer them.",
                code="missing_required_parameter",
                param="data_source.model",
            )


def _items(run: Run, *, after: str | None, status: str | None, descending: bool) -> Iterator[dict[str, Any]]:
    chunks = graded_chunks(run.id)
    skipping = after is not None
    for chunk in reversed(chunks) if descending else chunks:
        if skipping and not _holds(run, chunk, after):
            continue
        items = output_items(run.id, chunk.chunk)
        for item in reversed(items) if descending else items:
            if skipping:
                skipping = item["id"] != after
            elif status in {None, item["status"]}:
                yield item


def _holds(run: Run, chunk: ChunkCounts, item_id: str | None) -> bool:
    rows = range(chunk.first_row, chunk.first_row + ROWS_A_CHUNK)
    return any(output_item_id(run.id, row) == item_id for row in rows)
