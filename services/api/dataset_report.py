"""The report of a training set, as JSON or as Markdown with its plots.

The stored report names completions; what they say is read when somebody asks, so that what was deleted since is not
shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aws_lambda_powertools.event_handler import Response

from completions import index
from completions.completion import Completion
from completions.messages import text_of
from distillations import file_lines
from distillations.dataset import Dataset
from distillations.learning_curve import LearningCurve
from distillations.report.document import REPORT, DatasetReport
from distillations.report.markdown import markdown
from distillations.report.steps import RowExample, RuleReport
from distillations.text_steps import PersonalData
from foundation import blobs, http
from foundation.bounds import cut
from foundation.errors import ApiError
from foundation.routes import Query, Routes

router = Routes("Datasets")
_LONGEST_SHOWN = 200
_LETTERS = 400
_MARKDOWN = "text/markdown"
FORMAT = Query(
    "format",
    "`json`, or `markdown` for a text with plots; without it, as the header `Accept` asks.",
    {"type": "string", "enum": ["json", "markdown"]},
)


@router.get(
    "/v1/datasets/<dataset_id>/report",
    scope="read",
    answer=DatasetReport,
    query=(FORMAT,),
    errors={404: "There is no such dataset, it is not ready, or it is older than reports are."},
)
def dataset_report(dataset_id: str) -> DatasetReport | Response[Any]:
    """Retrieve the report of a training set: what each rule did, how it is spread, and how far it is from production.

    A dry run has one, too, and so has the dataset of a distillation. With `format=markdown` it is a text with plots.
    """
    as_markdown = _wants_markdown()
    dataset, report = _stored(dataset_id)
    # Of a set that masks personal data no captured text is shown, since nothing is masked there.
    if not (dataset.card and dataset.card.recipe.steps_of(PersonalData)):
        report = _with_texts(report)
    report = report.model_copy(update={"learning_curve": _learning_curve(dataset_id)})
    if not as_markdown:
        return report
    return Response(200, f"{_MARKDOWN}; charset=utf-8", markdown(report))


def _learning_curve(dataset_id: str) -> LearningCurve | None:
    """The newest that is complete."""
    curves = LearningCurve.every(parent=dataset_id, descending=True)
    return next((curve for curve in curves if curve.status == "completed"), None)


def _wants_markdown() -> bool:
    """Raises ApiError where the format is none."""
    given = http.query_of(router, "format")
    known = FORMAT.schema["enum"]
    if given is not None and given not in known:
        raise ApiError(f"Invalid 'format': use one of {', '.join(known)}.", code="invalid_value", param="format")
    accepted = router.current_event.headers.get("accept") or ""
    return given == "markdown" or (given is None and accepted.strip().lower().startswith(_MARKDOWN))


def _stored(dataset_id: str) -> tuple[Dataset, DatasetReport]:
    dataset = Dataset.load(dataset_id, param="dataset_id")
    body = blobs.find(dataset.key(REPORT)) if dataset.card else None
    if body is None:
        reason = dataset.error.message if dataset.error else f"it is {dataset.status}, or older than reports are."
        raise ApiError(f"The dataset has no report: {reason}", code="no_report", param="dataset_id", status=404)
    return dataset, DatasetReport.model_validate_json(body)


def _with_texts(report: DatasetReport) -> DatasetReport:
    """The report with the beginnings of the completions and lines that it names, of those that are still there."""
    ids = dict.fromkeys(example.id for step in report.steps for example in step.examples)
    references = [reference for name in ids if (reference := index.find(name))]
    said = {completion.id: completion for completion in (*index.read(references), *file_lines.of_rows(ids))}
    steps = [step.model_copy(update={"examples": list(_shown(step, said))}) for step in report.steps]
    return report.model_copy(update={"steps": steps})


def _shown(step: RuleReport, said: dict[str, Completion]) -> Iterable[RowExample]:
    for example in step.examples:
        completion = said.get(example.id)
        yield example.model_copy(update=_beginnings(completion)) if completion else example


def _beginnings(completion: Completion) -> dict[str, str | None]:
    asked = completion.messages[-1] if completion.messages else {}
    answered = completion.choice.get("message") if not completion.failed and isinstance(completion.choice, dict) else {}
    return {"question": _beginning(asked), "answer": _beginning(answered)}


def _beginning(message: Any) -> str | None:
    text = text_of(message.get("content")) if isinstance(message, dict) else ""
    return cut(text[:_LETTERS], _LONGEST_SHOWN) or None
