"""Sample and grade one row.

In: a row of a run. Out: its output item in OpenAI's shape, and the usage of the calls that it paid for. An item passes
if every criterion passes; the run's counts also fail an answer that was cut off. A row that cannot be sampled or graded
is errored, with the reason in the item, whatever the row holds; the other rows of the run are graded.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from completions.confidence import of_completion
from evals.eval import Eval
from evals.outcomes import cut_short
from evals.output_items import output_item_id
from evals.run import Run
from graders import Grade, GraderModel, NotGradable
from graders.grade import AnswerLacks
from graders.namespace import namespace
from graders.recorded import Recorded, recorded_grade
from grading.calls import Calls
from grading.sample import asked_json, asked_of, sample_row
from providers import Answer, ProviderAway, ProviderRefused
from providers.usage import ModelUsage

# What computing on an odd row raises. Errors of storage are others, are not the row's fault, and are not caught here.
_COMPUTING_FAILED = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
_SHOWN_USAGE = ("total_tokens", "completion_tokens", "prompt_tokens", "cached_tokens")
_SHOWN_PARAMETERS = ("temperature", "top_p", "seed", "max_completion_tokens")


class Use(NamedTuple):
    """The model of one paid call, its `usage` as the provider gave it, and whether it went through the Batch API."""

    model: str
    usage: dict[str, Any]
    batch: bool


class GradedRow(NamedTuple):
    """An output item, and what the run's counts take from the row; `passed` is false for an answer cut off."""

    item: dict[str, Any]
    passed: bool
    errored: bool
    usage: list[Use]
    latency_ms: int
    answered: Use | None = None
    """The answer that was graded, whoever paid for it; None where the provider did not say what it took."""


async def grade_row(run: Run, eval_: Eval, number: int, row: dict[str, Any], calls: Calls) -> GradedRow:
    """Sample the row and apply every criterion. Raises ProviderAway while the provider is away."""
    usage: list[Use] = []
    try:
        return await _grade(run, eval_, number, row, _BookedCalls(calls, usage))
    except ProviderAway:
        raise
    except (NotGradable, ProviderRefused, *_COMPUTING_FAILED) as error:
        bare = {"item": row["item"] if isinstance(row.get("item"), dict) else {}, "request": _asked(row, run)}
        item = _item(run, number, bare, Answer({}, 0), [], error=_reason(error, "sampling"))
        return GradedRow(item, passed=False, errored=True, usage=usage, latency_ms=0)


async def _grade(run: Run, eval_: Eval, number: int, row: dict[str, Any], booked: _BookedCalls) -> GradedRow:
    sure = run.distillation_id is not None
    answer = await sample_row(row, run.data_source, booked.calls, run.alias, without_logprobs=sure)
    model = _asked(row, run).get("model", run.model) if run.alias else run.model
    answered = _use(model, answer) if answer.body.get("usage") else None
    if answered:
        booked.book(model, answer)
    seen = namespace(answer.body, asked_json=asked_json(row, run.data_source))
    standing = getattr(run.data_source, "recorded_grades", None)
    results = [await _result(criterion, row["item"], seen, booked, standing) for criterion in eval_.testing_criteria]
    errored = any("error" in (result.get("sample") or {}) for result in results)
    item = _item(run, number, {**row, "request": _asked(row, run)}, answer, results)
    passed = item["status"] == "pass" and not cut_short(item["sample"]["finish_reason"])
    return GradedRow(
        item, passed=passed, errored=errored, usage=booked.usage, latency_ms=answer.latency_ms, answered=answered
    )


class _BookedCalls:
    """The `Models` that one row's graders ask; adds each call that the row pays for to the row's `usage`."""

    def __init__(self, calls: Calls, usage: list[Use]) -> None:
        self.calls = calls
        self.usage = usage

    async def complete(self, request: dict[str, Any]) -> dict[str, Any]:
        return self.book(request["model"], await self.calls.complete(request))

    async def embed(self, request: dict[str, Any]) -> dict[str, Any]:
        return self.book(request["model"], await self.calls.embed(request))

    async def run_source(self, request: dict[str, Any]) -> dict[str, Any]:
        return (await self.calls.run_source(request)).body

    def book(self, asked: str, answer: Answer) -> dict[str, Any]:
        """Add a paid answer to the row's usage."""
        if answer.paid:
            self.usage.append(_use(asked, answer))
        return answer.body


def _use(asked: str, answer: Answer) -> Use:
    """The use of the model that the answer names, or of the `asked` model if it names none."""
    model, usage = answer.body.get("model"), answer.body.get("usage")
    return Use(model if isinstance(model, str) else asked, usage if isinstance(usage, dict) else {}, answer.batch)


async def _result(
    criterion: GraderModel, item: dict[str, Any], seen: dict[str, Any], booked: _BookedCalls, standing: str | None
) -> dict[str, Any]:
    """The criterion's result: the recorded grade if the run lets it stand, else a new grade beside the recorded one."""
    recorded = None
    try:
        recorded = recorded_grade(criterion, seen)
        if recorded and _stands(criterion, standing):
            return {"name": criterion.id, "type": criterion.type, **recorded.model_dump(), "recorded": True}
        grade = await criterion.grade(item, seen, booked)
    except ProviderAway:
        raise
    except AnswerLacks as lacking:
        grade = Grade(passed=False, score=0.0, sample={"errors": [str(lacking)]})
    except (NotGradable, ProviderRefused, *_COMPUTING_FAILED) as error:
        grade = Grade(passed=False, score=0.0, sample={"error": _reason(error, "grader")})
    beside = {"recorded_grade": {"passed": recorded.passed, "score": recorded.score}} if recorded else {}
    return {"name": criterion.id, "type": criterion.type, **grade.model_dump(), **beside}


def _stands(criterion: GraderModel, standing: str | None) -> bool:
    """Whether a recorded grade replaces a new one; `standing` is the run's `recorded_grades`: all, judged or None."""
    if standing == "all" or isinstance(criterion, Recorded):
        return True
    return standing == "judged" and criterion.asks_models()


def _item(
    run: Run,
    number: int,
    row: dict[str, Any],
    answer: Answer,
    results: list[dict[str, Any]],
    *,
    error: dict[str, str] | None = None,
) -> dict[str, Any]:
    failed = error or any("error" in (result.get("sample") or {}) for result in results)
    return {
        "id": output_item_id(run.id, number),
        "object": "eval.run.output_item",
        "run_id": run.id,
        "eval_id": run.eval_id,
        "created_at": run.created_at,
        "status": "pass" if results and all(result["passed"] for result in results) else "fail",
        "errored": bool(failed),
        "datasource_item_id": number,
        "datasource_item": row["item"],
        "results": results,
        "sample": _sample(run, row, answer, error),
    }


def _sample(run: Run, row: dict[str, Any], answer: Answer, error: dict[str, str] | None) -> dict[str, Any]:
    choices = answer.body.get("choices") or []
    usage = answer.body.get("usage")
    used = ModelUsage(model_name="")
    used.add(usage if isinstance(usage, dict) else {})
    request = row["request"]
    asked = {"max_completion_tokens": request.get("max_tokens"), **request}
    return {
        "input": answer.body.get("input") or _list(request.get("messages")) or _list(row["item"].get("input")),
        "output": [choice["message"] for choice in choices],
        "finish_reason": _end_of(choices[0]) if choices else "",
        "model": answer.body.get("model", run.model),
        "usage": {name: getattr(used, name) for name in _SHOWN_USAGE},
        "error": error,
        **_confidence(answer),
        **{name: answer.body.get(name) if asked.get(name) is None else asked[name] for name in _SHOWN_PARAMETERS},
    }


def _confidence(answer: Answer) -> dict[str, float]:
    """How sure the model was, where the provider has told it: the mean log-probability of the answer's tokens."""
    known = of_completion(answer.body)
    return {} if known is None else {"confidence": known}


def _end_of(choice: dict[str, Any]) -> Any:
    """Why the answer ended; OpenAI has no finish reason for an output that its provider found malformed."""
    return choice.get("malformed") or choice.get("finish_reason", "")


def _asked(row: dict[str, Any], run: Run) -> dict[str, Any]:
    """What the model was asked for this row; empty where the row is so odd that no request can be built."""
    try:
        return asked_of(row, run.data_source, run.alias)
    except (NotGradable, *_COMPUTING_FAILED):
        return {}


def _list(messages: Any) -> list[Any]:
    return messages if isinstance(messages, list) else []


def _reason(error: Exception, work: str) -> dict[str, str]:
    if isinstance(error, ProviderRefused):
        return {"code": f"provider_{error.status}", "message": error.message}
    if isinstance(error, NotGradable):
        return {"code": error.code, "message": str(error)}
    return {"code": f"{work}_failed", "message": f"The {work} failed on this row: {type(error).__name__}: {error}"}
