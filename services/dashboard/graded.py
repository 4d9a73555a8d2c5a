"""Output items as a table shows them: question, known answer, the model's answer, each grade with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from dashboard.shown import as_json, step
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


class CompletionGrade(NamedTuple):
    """What a run found in a completion: where it is told, whose answer was graded, and each grade."""

    run_path: str
    run_name: str
    eval_path: str
    eval_name: str
    status: str
    asked: str
    grades: list[Grade]


def of_completion(found: Mapping[str, Any]) -> CompletionGrade:
    """A grade of the API's list of a completion's grades."""
    eval_path = f"/evals/{step(found['eval_id'])}"
    return CompletionGrade(
        run_path=f"{eval_path}/runs/{step(found['run_id'])}",
        run_name=found["run_name"] or found["run_id"],
        eval_path=eval_path,
        eval_name=found["eval_name"] or found["eval_id"],
        status="error" if found["errored"] else found["status"],
        asked=found["model"] if found["answers"] == "sampled" else "",
        grades=[_grade({**result, "name": result["criterion"] or result["name"]}) for result in found["results"]],
    )


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


def reason_of(sample: Mapping[str, Any]) -> str:
    """Why a grader gave its grade, in words, as far as the grade's sample says it."""
    error = sample.get("error")
    if error:
        return _text(_fields(error).get("message") or error)
    said = (words(sample[name]) for name, words in _REASONS.items() if sample.get(name))
    if sample.get("wanted") is not None:
        return f"{sample['wanted']} calls wanted, {sample.get('made')} made, {sample.get('matched')} of them right"
    return next(filter(None, said), _text(sample.get("output")))


def _grade(result: Mapping[str, Any]) -> Grade:
    sample = _fields(result.get("sample"))
    passed = None if sample.get("error") else result.get("passed")
    return Grade(result["name"], passed, result.get("score"), reason_of(sample))


def _steps(steps: Any) -> str:
    """The steps of a judge that reasons before it scores."""
    known = [_fields(step) for step in steps] if isinstance(steps, list) else []
    return " ".join(f"{_text(step.get('description'))} {_text(step.get('conclusion'))}" for step in known)


def _lines(lines: Any) -> str:
    return "; ".join(map(_text, lines)) if isinstance(lines, list) else _text(lines)


def _answers(labels: Any) -> str:
    """The labels of a judge that was asked in both orders."""
    return f"answered {' and, the other way round, '.join(map(_text, labels))}" if isinstance(labels, list) else ""


def _unequal(fields: Any) -> str:
    if not isinstance(fields, dict):
        return ""
    unequal = [name for name, equal in fields.items() if equal != 1]
    return f"differs in {', '.join(unequal)}" if unequal else "every field is equal"


def _parts(graders: Any) -> str:
    return ", ".join(f"{name} {_text(_fields(grade).get('score'))}" for name, grade in _fields(graders).items())


def _fields(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else as_json(value)


_REASONS: Mapping[str, Callable[[Any], str]] = {
    "reason": _text,
    "steps": _steps,
    "errors": _lines,
    "labels": _answers,
    "label": lambda label: f"answered {_text(label)}",
    "fields": _unequal,
    "graders": _parts,
    "metric": lambda metric: f"by {_text(metric)}",
}
"""How the parts of a grade's sample are said, the most telling first."""
