"""Convert an output item of OpenAI to a row of Stillhouse: the item, the sample as a chat completion, its grades.

In: an output item, and the criteria of the eval as Stillhouse has them. Out: `{item, sample}`. A grade is named by the
criterion's id in Stillhouse. What a row cannot hold is counted in `notes`.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any

_PARAMETERS = ("temperature", "top_p", "seed", "max_completion_tokens")
_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens")
_MESSAGE = ("role", "content", "refusal", "tool_calls", "function_call", "tool_call_id", "name")
_UUID = r"-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def row_of(
    item: dict[str, Any], criteria: list[dict[str, Any]], notes: Counter[str], *, structured: bool = False
) -> dict[str, Any]:
    """Convert an output item. `structured` is true if the run asked for JSON, which becomes `sample.output_json`."""
    sample = _sample(item.get("sample") or {}, notes)
    if structured and sample.get("choices"):
        sample["output_json"] = _json(sample["choices"][0]["message"].get("content"))
    grades = [_grade(result, criteria, notes) for result in item.get("results") or []]
    sample["grades"] = [grade for grade in grades if grade]
    return {"item": item.get("datasource_item") or {}, "sample": sample}


def has_output(row: dict[str, Any]) -> bool:
    """Tell whether the row has an output that can be graded again."""
    return bool(row["sample"].get("choices"))


def criterion_id(name: str, criteria: list[dict[str, Any]]) -> str | None:
    """Return the id of the criterion that a result names by id, by name, or by name and a uuid; None if none fits."""
    for known in criteria:
        if name in (known.get("id"), known["name"]):
            return str(known.get("id") or known["name"])
    for known in criteria:
        if re.fullmatch(re.escape(known["name"]) + _UUID, name):
            return str(known.get("id") or known["name"])
    return None


def _sample(recorded: dict[str, Any], notes: Counter[str]) -> dict[str, Any]:
    error = recorded.get("error")
    if error:
        message = error.get("message") if isinstance(error, dict) else error
        return {"error": {"message": str(message or "unknown")}}
    messages = [_message(message) for message in recorded.get("output") or []]
    if len(messages) > 1:
        notes["a sample of several messages: the last answer is graded"] += 1
        messages = _last_answer_first(messages)
    reason = recorded.get("finish_reason") or ""
    usage = recorded.get("usage") or {}
    sample: dict[str, Any] = {
        "choices": [
            {"index": index, "finish_reason": reason, "message": message} for index, message in enumerate(messages)
        ],
        "model": str(recorded.get("model") or ""),
        "usage": {name: usage[name] for name in _COUNTS if isinstance(usage.get(name), int)},
    }
    if recorded.get("input"):
        sample["input"] = [_message(message) for message in recorded["input"]]
    return sample | {name: recorded[name] for name in _PARAMETERS if recorded.get(name) is not None}


def _last_answer_first(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Move the last answer to the front: graders read the first choice."""
    answers = [message for message in messages if message.get("role") == "assistant" and message["content"]]
    return [*answers[-1:], *(message for message in messages if message not in answers[-1:])]


def _message(message: dict[str, Any]) -> dict[str, Any]:
    kept = {name: message[name] for name in _MESSAGE if message.get(name) is not None}
    kept["content"] = _text(message.get("content"))
    return kept


def _text(content: Any) -> Any:
    """Join content parts that are all text; other content is returned as it is."""
    parts = content if isinstance(content, list) else [content]
    values = [part.get("text") if isinstance(part, dict) else part for part in parts]
    texts = [text for text in values if isinstance(text, str)]
    return "".join(texts) if texts and len(texts) == len(values) else content


def _json(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return None


def _grade(result: dict[str, Any], criteria: list[dict[str, Any]], notes: Counter[str]) -> dict[str, Any] | None:
    name = criterion_id(str(result.get("name")), criteria)
    passed, score = result.get("passed"), result.get("score")
    if name is None:
        notes["a grade of no criterion of its eval: left out"] += 1
        return None
    if not isinstance(passed, bool):
        notes["a grade that is neither pass nor fail: left out"] += 1
        return None
    number = float(score) if isinstance(score, (int, float)) and math.isfinite(score) else float(passed)
    sample = result.get("sample")
    return {"name": name, "passed": passed, "score": number, **({"sample": sample} if isinstance(sample, dict) else {})}
