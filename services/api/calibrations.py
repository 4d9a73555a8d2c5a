"""Calibrations of an eval's criteria: people's labels in, a judge card out. Our own, `/v1/evals/{id}/calibrations`.

Labels that come with rows have these graded now, by a run of the eval, and the card is there when the run is completed.
Labels for a completed run have their card at once, and nothing is paid.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from api import labels, results, retried, sources
from api.labels import LabelledRows, LabelledRun
from completions.completion import Metadata
from evals.calibration_document import CalibrationDocument
from evals.calibrations import Calibration, NamedGrader, graders_of, is_stale, settled
from evals.data_sources import FileContent, FileId, JsonlSource
from evals.eval import Eval
from evals.files import Row
from evals.run import Run, new_run
from foundation import bus, http
from foundation.errors import ApiError, NotFound
from foundation.events import PlanRun
from foundation.ids import derived_id, now
from foundation.routes import PAGE, Routes
from foundation.settings import settings
from graders.judging import JudgeModel

router = Routes("Calibrations")
_INTERNAL = {"labels", "passing", "part", "paid"}


class NewCalibration(BaseModel):
    """What a caller sends. `criterion` is a name or an id; an eval with one judge needs none."""

    criterion: str | None = None
    source: Annotated[LabelledRows | FileId | LabelledRun, Field(discriminator="type")]
    name: str = ""
    metadata: Metadata | None = None


@router.post(
    "/v1/evals/<eval_id>/calibrations",
    scope="write",
    status=201,
    answer=CalibrationDocument,
    errors={404: "The eval, the run or the file does not exist.", 409: "The run is not completed."},
)
def create_calibration(eval_id: str, asked: NewCalibration) -> dict[str, Any]:
    """Hold a criterion against people's labels.

    Labels that come with rows have these graded now, by a run of the eval; the card is there when the run is completed.
    Labels for a completed run have their card at once, and nothing is paid.
    """
    eval_ = Eval.load(eval_id, param="eval_id")
    graded = _criterion(eval_, asked.criterion)
    scale = graded.grader.scale()
    if isinstance(asked.source, LabelledRun):
        run = results.completed_run(eval_id, asked.source.run_id, param="source.run_id")
        said = labels.of_run(run, asked.source.labels, each_chunk=results.in_time(router))
        votes = labels.votes(said, scale)
        calibration_id = retried.object_id(router, "calib_")
    else:
        votes = labels.votes(labels.of_rows(asked.source), scale)
        calibration_id = retried.object_id(router, "calib_")
        run = _run(calibration_id, eval_, asked.source)
    one = Calibration(
        id=calibration_id,
        created_at=now(),
        eval_id=eval_id,
        run_id=run.id,
        name=asked.name or calibration_id,
        criterion=graded.name,
        criterion_id=graded.criterion_id,
        part=graded.part,
        model=scale.judge,
        rubric=graded.rubric,
        compared=votes.compared,
        passing=list(scale.passing_labels) if votes.compared == "label" else ["pass"],
        labels=votes.by_row,
        paid=not isinstance(asked.source, LabelledRun),
        metadata=asked.metadata,
    )
    if not one.create():
        one = Calibration.load(calibration_id)
    return shown(settled(one), eval_)


@router.get("/v1/evals/<eval_id>/calibrations", scope="read", lists=CalibrationDocument, query=PAGE)
def list_calibrations(eval_id: str) -> dict[str, Any]:
    """List the calibrations of an eval's criteria."""
    eval_ = Eval.load(eval_id, param="eval_id")
    return http.list_of(router, Calibration, lambda one: shown(settled(one), eval_), parent=eval_id)


@router.get("/v1/evals/<eval_id>/calibrations/<calibration_id>", scope="read", answer=CalibrationDocument)
def retrieve_calibration(eval_id: str, calibration_id: str) -> dict[str, Any]:
    """Retrieve a calibration, with the judge card once it is there."""
    eval_ = Eval.load(eval_id, param="eval_id")
    one = Calibration.load(calibration_id, param="calibration_id")
    if one.eval_id != eval_id:
        raise NotFound("calibration", calibration_id, param="calibration_id")
    return shown(settled(one), eval_)


def shown(one: Calibration, eval_: Eval) -> dict[str, Any]:
    """With a link to each row that the judge got wrong."""
    document = one.model_dump(mode="json", exclude=_INTERNAL)
    items = f"{settings().API_URL}/evals/{one.eval_id}/runs/{one.run_id}/output_items"
    for mistakes in ("false_pass", "false_fail") if one.card else ():
        found = document["card"][mistakes]
        found["items"] = [{"id": item_id, "url": f"{items}/{item_id}"} for item_id in found["items"]]
    return {**document, "stale": is_stale(one, eval_)}


def _criterion(eval_: Eval, asked: str | None) -> NamedGrader:
    every = list(graders_of(eval_))
    if asked is None:
        every = [one for one in every if isinstance(one.grader, JudgeModel)]
    found = [one for one in every if asked is None or asked in {one.name, one.key}]
    if len(found) == 1:
        return found[0]
    names = ", ".join(one.name for one in found or every)
    message = f"'criterion' names {len(found)} criteria of this eval; name one of: {names or 'it has no judge'}."
    raise ApiError(message, code="no_such_criterion" if not found else "ambiguous_criterion", param="criterion")


def _run(calibration_id: str, eval_: Eval, source: LabelledRows | FileId) -> Run:
    """An ordinary run of the eval over the rows, without what people say of them."""
    rows: FileContent | FileId = (
        FileId(type="file_id", id=source.id) if isinstance(source, FileId) else _unlabelled(source)
    )
    run_id = derived_id("evalrun_", calibration_id)
    data_source = JsonlSource(type="jsonl", source=rows)
    sources.check(data_source)
    run = new_run(
        run_id,
        eval_,
        name=f"calibration {calibration_id}",
        data_source=sources.kept(data_source, run_id),
        metadata={"calibration_id": calibration_id},
        rows=sources.rows_of(data_source),
    )
    run.create()
    bus.send(PlanRun(run_id=run_id))
    return run


def _unlabelled(source: LabelledRows) -> FileContent:
    return FileContent(type="file_content", content=[Row(item=row.item, sample=row.sample) for row in source.content])
