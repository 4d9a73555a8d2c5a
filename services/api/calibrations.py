"""Calibrations of an eval's criteria: people's labels in, a judge card out. Our own, `/v1/evals/{id}/calibrations`.

Labels that come with rows have these graded now, by a run of the eval, and the card is there when the run is completed.
Labels for a completed run have their card at once, and nothing is paid.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from api import retried
from completions.completion import Metadata
from distillations import lineage
from distillations.lineage import Node
from evals.calibrated_graders import PASS, grader_to_calibrate
from evals.calibration_document import CalibrationDocument, calibration_document
from evals.calibrations import Calibration, settled
from evals.data_sources import FileContent, FileId, JsonlSource
from evals.eval import Eval
from evals.files import Row
from evals.labels import LabelledRows, LabelledRun, labels_of_rows, labels_of_run, votes_by_row
from evals.run import Run, new_run
from evals.sources import check_source, rows_of, source_as_kept
from evals.stored_figures import completed_run, time_check
from foundation import bus, http
from foundation.document import Body
from foundation.errors import NotFound
from foundation.events import PlanRun
from foundation.ids import derived_id, now
from foundation.routes import PAGE, Routes

router = Routes("Calibrations")


class NewCalibration(Body):
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
    calibration_id = retried.object_id(router, "calib_")
    named = grader_to_calibrate(eval_, asked.criterion)
    scale = named.grader.scale()
    if isinstance(asked.source, LabelledRun):
        run = completed_run(eval_id, asked.source.run_id, param="source.run_id")
        labels = labels_of_run(run, asked.source.labels, each_chunk=time_check(router.lambda_context))
        votes = votes_by_row(labels, scale)
    else:
        votes = votes_by_row(labels_of_rows(asked.source), scale)
        run = _run(calibration_id, eval_, asked.source)
    calibration = Calibration(
        id=calibration_id,
        created_at=now(),
        eval_id=eval_id,
        run_id=run.id,
        name=asked.name or calibration_id,
        criterion=named.name,
        criterion_id=named.criterion_id,
        part=named.part,
        model=scale.judge,
        rubric=named.rubric,
        compared=votes.compared,
        passing=list(scale.passing_labels) if votes.compared == "label" else [PASS],
        labels=votes.by_row,
        paid=not isinstance(asked.source, LabelledRun),
        metadata=asked.metadata,
    )
    lineage.link([(Node("run", run.id), Node("calibration", calibration_id))])
    if not calibration.create():
        calibration = Calibration.load(calibration_id)
    return _shown(calibration, eval_)


@router.get("/v1/evals/<eval_id>/calibrations", scope="read", lists=CalibrationDocument, query=PAGE)
def list_calibrations(eval_id: str) -> dict[str, Any]:
    """List the calibrations of an eval's criteria."""
    eval_ = Eval.load(eval_id, param="eval_id")
    return http.list_of(router, Calibration, lambda calibration: _shown(calibration, eval_), parent=eval_id)


@router.get("/v1/evals/<eval_id>/calibrations/<calibration_id>", scope="read", answer=CalibrationDocument)
def retrieve_calibration(eval_id: str, calibration_id: str) -> dict[str, Any]:
    """Retrieve a calibration, with the judge card once it is there."""
    eval_ = Eval.load(eval_id, param="eval_id")
    calibration = Calibration.load(calibration_id, param="calibration_id")
    if calibration.eval_id != eval_id:
        raise NotFound("calibration", calibration_id, param="calibration_id")
    return _shown(calibration, eval_)


def _shown(calibration: Calibration, eval_: Eval) -> dict[str, Any]:
    """The calibration, with its card if its run has ended meanwhile."""
    return calibration_document(settled(calibration), eval_).model_dump(mode="json")


def _run(calibration_id: str, eval_: Eval, source: LabelledRows | FileId) -> Run:
    """An ordinary run of the eval over the rows, without people's labels."""
    rows: FileContent | FileId = (
        FileId(type="file_id", id=source.id) if isinstance(source, FileId) else _unlabelled(source)
    )
    run_id = derived_id("evalrun_", calibration_id)
    data_source = JsonlSource(type="jsonl", source=rows)
    check_source(data_source)
    run = new_run(
        run_id,
        eval_,
        name=f"calibration {calibration_id}",
        data_source=source_as_kept(data_source, run_id),
        metadata={"calibration_id": calibration_id},
        rows=rows_of(data_source),
    )
    run.create()
    lineage.link_run(run)
    bus.send(PlanRun(run_id=run_id))
    return run


def _unlabelled(source: LabelledRows) -> FileContent:
    return FileContent(type="file_content", content=[Row(item=row.item, sample=row.sample) for row in source.content])
