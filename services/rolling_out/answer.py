"""What became of one answer of a pair, as the run that graded it says.

In: an output item, and the row that it is of. Out: whether the model answered, whether that is graded, passed and well
formed, and what it cost.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from distillations.answer_problems import calls_problem, format_problem
from evals.counts import graded_chunks
from evals.outcomes import cut_short
from evals.output_items import read_output_items
from evals.own_rows import rows_key
from foundation import blobs
from providers.prices import cost_nanodollars
from providers.usage import ModelUsage

_ODD = (AttributeError, LookupError, RecursionError, TypeError, ValueError)
_REFUSED = "provider_"
"""How the codes of errors begin that the provider answered with, or that stand for its silence."""


class Answer(NamedTuple):
    """One model's answer to a call."""

    answered: bool | None
    """None where nobody knows: the row could not be asked, or its run gave nothing."""
    graded: bool = False
    passed: bool = False
    malformed: bool = False
    nanodollars: int | None = None
    """What it cost, whoever paid; None where that is not known."""


UNKNOWN = Answer(None)


def answers_of(run_id: str, *, sampled: bool) -> dict[str, Answer]:
    """The answers of a run, by completion id: one of each of its rows, also of a run that ended without grades."""
    rows = {row["item"]["completion_id"]: _asked(row) for row in map(orjson.loads, blobs.lines(rows_key(run_id)))}
    found = dict.fromkeys(rows, UNKNOWN)

    def kept(item: dict[str, Any]) -> tuple[str, Answer]:
        name = item["datasource_item"]["completion_id"]
        return name, _answer(item, rows.get(name, {}), sampled=sampled)

    chunks = [chunk.chunk for chunk in graded_chunks(run_id)]
    found.update(read_output_items(run_id, chunks, kept))
    return found


def _asked(row: dict[str, Any]) -> dict[str, Any]:
    """What is needed of a row: the messages of a whole run fit into no function's memory beside its items."""
    sample = row.get("sample")
    return {"request": row.get("request"), "failed": isinstance(sample, dict) and bool(sample.get("error"))}


def _answer(item: dict[str, Any], row: dict[str, Any], *, sampled: bool) -> Answer:
    sample = item["sample"]
    if _failed(sample, row, sampled=sampled):
        return Answer(answered=False)
    if not sample["output"]:
        return UNKNOWN
    malformed = cut_short(sample["finish_reason"]) or _is_malformed(sample["output"][0], row)
    graded = not item["errored"]
    passed = graded and item["status"] == "pass" and not cut_short(sample["finish_reason"])
    return Answer(True, graded, passed, malformed, _cost(sample))


def _failed(sample: dict[str, Any], row: dict[str, Any], *, sampled: bool) -> bool:
    """Whether the model gave no answer: the provider refused, or the call that a user made had failed."""
    if not sampled:
        return bool(row.get("failed"))
    error = sample.get("error") or {}
    return str(error.get("code")).startswith(_REFUSED)


def _is_malformed(message: Any, row: dict[str, Any]) -> bool:
    """Whether the answer breaks its own request, or is so odd that nobody can say."""
    request = row.get("request") or {}
    try:
        return bool(format_problem(message, request) or calls_problem(message, request))
    except _ODD:
        return True


def _cost(sample: dict[str, Any]) -> int | None:
    usage = sample["usage"]
    used = ModelUsage(model_name=str(sample["model"]))
    used.add({name: usage.get(name) for name in ("prompt_tokens", "completion_tokens", "cached_tokens")})
    return cost_nanodollars([used])
