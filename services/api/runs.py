"""Runs of an eval and their output items. Shapes: OpenAI's, `/v1/evals/{id}/runs`."""

from __future__ import annotations

from typing import Any

from api import retried
from api.within_cap import refuse_over_cap
from completions.completion import Metadata
from distillations import lineage
from distillations.dataset import Dataset
from distillations.distillation import TERMINAL, Distillation
from evals.data_sources import DataSource
from evals.eval import Eval
from evals.items_by_status import has_index, items_by_status
from evals.output_item import OutputItem
from evals.output_items import output_item, output_items_behind
from evals.run import Run, new_run, run_of_eval
from evals.run_document import RunDocument, run_document
from evals.sources import check_source, narrowed_by_eval, rows_of, source_as_kept, with_one_model
from foundation import bus, http
from foundation.curve_messages import AdvanceLearningCurve
from foundation.document import Body
from foundation.errors import Conflict
from foundation.events import PlanRun
from foundation.routes import PAGE, Query, Routes
from rollouts.rollout import Rollout

router = Routes("Runs")
_UNKNOWN = {404: "The eval, a model, or the file of the rows does not exist."}
_OVER = {409: "The run is over."}
_RUN_STATUS = Query("status", "Only runs of this status.")
_ITEM_STATUS = Query("status", "Only items of this status: `pass`, `fail` or `error`.")


class NewRun(Body):
    """What a caller sends."""

    name: str = ""
    data_source: DataSource
    metadata: Metadata | None = None


@router.post("/v1/evals/<eval_id>/runs", scope="write", status=201, answer=RunDocument, errors=_UNKNOWN)
def create_run(eval_id: str, asked: NewRun) -> RunDocument:
    """Start a run: grade rows, as they are or sampled from a model."""
    eval_ = Eval.load(eval_id, param="eval_id")
    refuse_over_cap()
    run_id = retried.object_id(router, "evalrun_")
    data_source = with_one_model(narrowed_by_eval(asked.data_source, eval_))
    check_source(data_source)
    run = new_run(
        run_id,
        eval_,
        name=asked.name or run_id,
        data_source=source_as_kept(data_source, run_id),
        metadata=asked.metadata,
        rows=rows_of(data_source),
    )
    if not run.create():
        run = Run.load(run_id)
    lineage.link_run(run)
    _plan(run)
    return run_document(run)


@router.get("/v1/evals/<eval_id>/runs/<run_id>", scope="read", answer=RunDocument)
def retrieve_run(eval_id: str, run_id: str) -> RunDocument:
    """Retrieve a run with its counts so far."""
    return run_document(run_of_eval(eval_id, run_id))


@router.get("/v1/evals/<eval_id>/runs", scope="read", lists=RunDocument, query=(*PAGE, _RUN_STATUS))
def list_runs(eval_id: str) -> dict[str, Any]:
    """List the runs of an eval."""
    Eval.load(eval_id, param="eval_id")
    status = http.query_of(router, "status")
    every = Run.every(parent=eval_id, after=http.query_of(router, "after"), descending=http.descending(router))
    return http.listed((run_document(run) for run in every if status in {None, run.status}), http.limit_of(router))


# Older SDKs cancel at the run's own path.
@router.post("/v1/evals/<eval_id>/runs/<run_id>", scope="write", answer=RunDocument, errors=_OVER, alias=True)
@router.post("/v1/evals/<eval_id>/runs/<run_id>/cancel", scope="write", answer=RunDocument, errors=_OVER)
def cancel_run(eval_id: str, run_id: str) -> RunDocument:
    """Cancel a run. Canceling it again is no error."""
    run_of_eval(eval_id, run_id).cancel()
    run = run_of_eval(eval_id, run_id)
    if run.status != "canceled":
        raise Conflict(f"This run is over: {run.status}.", code="already_ended")
    _plan(run)
    return run_document(run)


@router.delete(
    "/v1/evals/<eval_id>/runs/<run_id>",
    scope="write",
    answer="openai.types.evals.RunDeleteResponse",
    errors={409: "A distillation, a dataset or a rollout waits for this run."},
)
def delete_run(eval_id: str, run_id: str) -> dict[str, Any]:
    """Delete a run and its output items; an open run is canceled first."""
    run = run_of_eval(eval_id, run_id)
    _refuse_while_waited_for(run)
    run.cancel()
    run.erase()
    if run.learning_curve_id:
        # Whoever waited for it goes on without it.
        bus.send(AdvanceLearningCurve(learning_curve_id=run.learning_curve_id))
    return {"object": "eval.run.deleted", "deleted": True, "run_id": run_id}


def cancel_open_runs(eval_id: str) -> None:
    """End every run of an eval that is still open. Raises Conflict where something waits for one."""
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
    run = run_of_eval(eval_id, run_id)
    after, status, descending = (
        http.query_of(router, "after"),
        http.query_of(router, "status"),
        http.descending(router),
    )
    if status and has_index(run):
        items = items_by_status(run, after=after, status=status, descending=descending)
    else:
        items = output_items_behind(run, after=after, status=status, descending=descending)
    return http.listed(items, http.limit_of(router))


@router.get(
    "/v1/evals/<eval_id>/runs/<run_id>/output_items/<item_id>",
    scope="read",
    answer=OutputItem,
)
def retrieve_output_item(eval_id: str, run_id: str, item_id: str) -> dict[str, Any]:
    """Retrieve an output item."""
    return output_item(run_of_eval(eval_id, run_id), item_id)


def _plan(run: Run) -> None:
    """Send the message that plans the run. Planning a canceled run announces its end."""
    bus.send(PlanRun(run_id=run.id))


def _refuse_while_waited_for(run: Run) -> None:
    waiting = Distillation.find(run.distillation_id) if run.distillation_id else None
    if waiting and waiting.status not in TERMINAL:
        raise Conflict(
            f"The distillation {waiting.id} waits for the run {run.id}. "
            f"End it first: POST /v1/distillations/{waiting.id}/cancel",
            code="run_in_use",
        )
    rollout = Rollout.find(run.rollout_id) if run.rollout_id else None
    if rollout and rollout.is_open:
        raise Conflict(
            f"The rollout {rollout.id} rests on the run {run.id}. "
            f"End it first: POST /v1/rollouts/{rollout.id}/rollback",
            code="run_in_use",
        )
    dataset = Dataset.find(run.dataset_id) if run.dataset_id else None
    if dataset and dataset.is_open:
        raise Conflict(
            f"The dataset {dataset.id} waits for the run {run.id}. End it first: DELETE /v1/datasets/{dataset.id}",
            code="run_in_use",
        )
