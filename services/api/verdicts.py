"""Verdicts: the decision about a distillation with its evidence, in words, and computed anew from what is stored."""

from __future__ import annotations

from typing import Literal

from distillations import telling
from distillations.deciding.document import runs_of, verdict_of
from distillations.deciding.reuse import RowSet
from distillations.distillation import Distillation
from distillations.verdict import Verdict
from evals.run import Run
from evals.stored_figures import refuse_too_many_rows, time_check
from foundation import blobs
from foundation.document import Document
from foundation.errors import Conflict
from foundation.routes import Routes

router = Routes("Verdicts")
_NONE = {404: "There is no such verdict or distillation, or the distillation has none yet."}


class VerdictText(Document):
    """A verdict in words, as every channel, the dashboard and the command tell it."""

    object: Literal["verdict.text"] = "verdict.text"
    id: str
    sentence: str
    """What was compared, on how many rows, and what may be believed."""
    lines: list[str]
    """The evidence, a figure or two a line."""
    url: str
    """Its page in the dashboard."""
    command: str
    """What shows it in a terminal."""


class Recomputed(Document):
    """A verdict computed anew, beside the one that stands. Nothing is written."""

    object: Literal["verdict.recomputed"] = "verdict.recomputed"
    same: bool
    """Whether it is the one that stands, figure for figure."""
    differs: list[str]
    """The fields that differ: those of prices, judges and costs where these have changed since."""
    verdict: Verdict


@router.get("/v1/verdicts/<verdict_id>", scope="read", errors=_NONE)
def retrieve_verdict(verdict_id: str) -> Verdict:
    """Retrieve a verdict by its own id, or by that of its distillation.

    docs/reference/verdict.schema.json has its JSON schema, whose version stands in `schema_version`.
    """
    return _verdict(verdict_id)


@router.get("/v1/verdicts/<verdict_id>/text", scope="read", errors=_NONE)
def retrieve_verdict_text(verdict_id: str) -> VerdictText:
    """Retrieve a verdict in words, with its page and its command."""
    verdict = _verdict(verdict_id)
    told = telling.of_verdict(verdict)
    return VerdictText(id=verdict.id, sentence=told.sentence, lines=told.lines, url=told.url, command=told.command)


@router.post(
    "/v1/verdicts/<verdict_id>/recompute",
    scope="read",
    errors={
        **_NONE,
        409: "A run, or the test rows, that it rests on were deleted.",
        413: "The runs have too many rows for one request.",
    },
)
def recompute_verdict(verdict_id: str) -> Recomputed:
    """Compute a verdict anew from the stored rows, with the seed that it was decided with, and compare both."""
    verdict = _verdict(verdict_id)
    distillation = Distillation.load(verdict.distillation_id, param="verdict_id")
    runs = runs_of(distillation)
    contenders = (Run.find(distillation.contender_run_id(model)) for model in distillation.contenders)
    refuse_too_many_rows(*runs.values(), *(run for run in contenders if run))
    if not blobs.exists(distillation.rows_key):
        raise Conflict("The test rows of this verdict were deleted.", code="rows_deleted")
    in_time = time_check(router.lambda_context)
    again = verdict_of(distillation, runs, RowSet.of(distillation), at=verdict.created_at, check=in_time)
    again = again.model_copy(update={"notified_at": verdict.notified_at})
    then, now = verdict.model_dump(mode="json"), again.model_dump(mode="json")
    differs = [name for name, value in now.items() if then[name] != value]
    return Recomputed(same=not differs, differs=differs, verdict=again)


def _verdict(verdict_id: str) -> Verdict:
    """The verdict of this id, or of the distillation of this id. Raises NotFound."""
    distillation = Distillation.find(verdict_id)
    return Verdict.load(distillation.verdict_id if distillation else verdict_id, param="verdict_id")
