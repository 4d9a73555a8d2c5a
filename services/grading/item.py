"""One row graded: its output item in OpenAI's shape, and what it cost.

An item passes when every criterion passes. What cannot be sampled or graded is errored, with the reason in the item.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from foundation.evals import Eval, Run, output_item_id
from foundation.graders import Grade, NotGradable
from foundation.models import Answer, ProviderAway, ProviderRefused
from grading.calls import Calls
from grading.sample import namespace, sample_row

_SHOWN_PARAMETERS = ("temperature", "top_p", "seed", "max_completion_tokens")


class Graded(NamedTuple):
    """An output item, and what its run adds up."""

    item: dict[str, Any]
    passed: bool
    errored: bool
    usage: list[tuple[str, dict[str, Any]]]
    latency_ms: int


async def grade_row(run: Run, eval_: Eval, number: int, row: dict[str, Any], calls: Calls) -> Graded:
    """Sample the row and apply every criterion. Raises ProviderAway while the provider is away."""
    usage: list[tuple[str, dict[str, Any]]] = []
    try:
        answer = await sample_row(row, run.data_source, calls)
    except ProviderAway:
        raise
    except (ProviderRefused, NotGradable) as error:
        item = _item(run, number, row, Answer({}, 0), [], error=_reason(error))
        return Graded(item, passed=False, errored=True, usage=[], latency_ms=0)
    if answer.paid and answer.body.get("usage"):
        usage.append((answer.body.get("model", run.model), answer.body["usage"]))
    seen = namespace(answer.body, structured="response_format" in row.get("request", {}))

    async def judge(request: dict[str, Any]) -> dict[str, Any]:
        judged = await calls.complete(request)
        if judged.paid:
            usage.append((judged.body.get("model", request["model"]), judged.body.get("usage") or {}))
        return judged.body

    results = [await _result(criterion, row["item"], seen, judge) for criterion in eval_.testing_criteria]
    errored = any("error" in (result.get("sample") or {}) for result in results)
    passed = all(result["passed"] for result in results)
    item = _item(run, number, row, answer, results)
    return Graded(item, passed=passed, errored=errored, usage=usage, latency_ms=answer.latency_ms)


async def _result(criterion: Any, item: dict[str, Any], seen: dict[str, Any], judge: Any) -> dict[str, Any]:
    try:
        grade: Grade = await criterion.grade(item, seen, judge)
    except ProviderAway:
        raise
    except (NotGradable, ProviderRefused) as error:
        grade = Grade(passed=False, score=0.0, sample={"error": _reason(error)})
    return {"name": criterion.id, "type": criterion.type, **grade.model_dump()}


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
    used = answer.body.get("usage") or {}
    request = row.get("request", {})
    return {
        "input": row["item"].get("input", []) if isinstance(row["item"].get("input"), list) else [],
        "output": [choice["message"] for choice in choices],
        "finish_reason": choices[0].get("finish_reason", "") if choices else "",
        "model": answer.body.get("model", run.model),
        "usage": {
            name: int(used.get(name) or 0)
            for name in ("total_tokens", "completion_tokens", "prompt_tokens", "cached_tokens")
        },
        "error": error,
        **{name: request.get(name) for name in _SHOWN_PARAMETERS},
    }


def _reason(error: Exception) -> dict[str, str]:
    if isinstance(error, ProviderRefused):
        return {"code": f"provider_{error.status}", "message": _provider_message(error)}
    return {"code": "not_gradable", "message": str(error)}


def _provider_message(error: ProviderRefused) -> str:
    try:
        message = orjson.loads(error.body)["error"]["message"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return str(error)
    return str(message)
