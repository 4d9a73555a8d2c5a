"""Output items as a table shows them: question, known answer, the model's answer, each grade with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from dashboard.shown import as_json
from dashboard.turns import turn


class Grade(NamedTuple):
    """What one grader said of a row. `passed` is None where it could not grade."""

    criterion: str
    passed: bool | None
    score: float | None
    reason: str


class GradedRow(NamedTuple):
    """A row of a run."""

    id: str
    status: str
    question: str
    reference: str
    answer: str
    error: str
    grades: list[Grade]
    completion_id: str | None


def row(item: Mapping[str, Any]) -> GradedRow:
    """An output item as it is shown."""
    source, sample = _fields(item.get("datasource_item")), _fields(item.get("sample"))
    completion_id = source.get("completion_id")
    return GradedRow(
        id=item["id"],
        status="error" if item.get("errored") else item["status"],
        question=_question(source, sample),
        reference=_text(source.get("reference")),
        answer="\n".join(turn(message).text for message in sample.get("output") or []),
        error=_text(_fields(sample.get("error")).get("message")),
        grades=[_grade(result) for result in item.get("results") or []],
        completion_id=completion_id if isinstance(completion_id, str) else None,
    )


def _question(source: Mapping[str, Any], sample: Mapping[str, Any]) -> str:
    messages = source.get("input") or sample.get("input")
    turns = [turn(message) for message in messages] if isinstance(messages, list) else []
    asked = [said.text for said in turns if said.role == "user"] or [said.text for said in turns]
    return asked[-1] if asked else _text(messages or source)


def _grade(result: Mapping[str, Any]) -> Grade:
    sample = _fields(result.get("sample"))
    failure = sample.get("error")
    reason = sample.get("reason") or failure or sample.get("output")
    return Grade(result["name"], None if failure else result.get("passed"), result.get("score"), _text(reason))


def _fields(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else as_json(value)
