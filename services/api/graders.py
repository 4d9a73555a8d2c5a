"""Graders without an eval: whether a definition is sound, and what it says of one answer. Shapes: OpenAI's."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from api.judges import take_judges
from foundation import http, loop
from foundation.document import Body, Document
from foundation.routes import Routes
from graders import Criterion
from graders.trial import Trial, run_trial
from providers import registry

router = Routes("Graders")
_LONGEST_S = 28.0
_MARGIN_S = 2.0
_THRESHOLD = "pass_threshold"
_NO_MODEL = {404: "A grader's model does not exist."}


def _with_threshold(grader: Any) -> Any:
    """The definition with a `pass_threshold`, which evals want and trials do not: their result is the score."""
    return {_THRESHOLD: 0.5, **grader} if isinstance(grader, dict) and _wants(grader) else grader


def _wants(grader: dict[str, Any]) -> bool:
    return grader.get("type") in ("multi", "text_similarity")


def _thresholds(grader: Any) -> Any:
    if isinstance(grader, dict) and isinstance(grader.get("graders"), dict):
        grader = {**grader, "graders": {name: _with_threshold(part) for name, part in grader["graders"].items()}}
    return _with_threshold(grader)


class GraderToValidate(Body):
    """A definition, as a criterion of an eval has it."""

    grader: Annotated[Criterion, BeforeValidator(_thresholds)]


class GraderToRun(GraderToValidate):
    """A definition, and what it is to grade."""

    model_sample: str
    """The answer's text: `sample.output_text`, and `sample.output_json` where it is JSON."""
    item: dict[str, Any] = Field(default_factory=dict)
    """What templates find as `item`."""


class ValidatedGrader(Document):
    """A definition that is sound."""

    grader: dict[str, Any]
    """As it was given."""


@router.post("/v1/fine_tuning/alpha/graders/validate", scope="write", errors=_NO_MODEL)
def validate_grader(asked: GraderToValidate) -> ValidatedGrader:
    """Look whether a grader's definition is sound and its models exist. Nothing is made."""
    take_judges(asked.grader, param="grader")
    return ValidatedGrader(grader=http.json_of(router)["grader"])


@router.post("/v1/fine_tuning/alpha/graders/run", scope="write", errors=_NO_MODEL)
def run_grader(asked: GraderToRun) -> Trial:
    """Grade one answer. Nothing is kept; what a judge costs is paid each time."""
    take_judges(asked.grader, param="grader")
    left_s = min(router.lambda_context.get_remaining_time_in_millis() / 1000, _LONGEST_S) - _MARGIN_S
    trial = run_trial(asked.grader, asked.item, asked.model_sample, registry.providers(), deadline_s=left_s)
    return loop.run(trial)
