"""Plain JSON lines: our own records, or OpenAI's fine-tuning format.

In: rows of `{request, response, …}`, or of `{"messages": […]}`, whose last message is the answer. Out: records; one
without an id gets it from its content when it is recorded, one without a time has that of its file. What stands in a
row as `reference` is only taken where `--reference` names it: an imported answer was not reviewed.
"""

from __future__ import annotations

from typing import Any

from stillhouse.importing import chat, shape
from stillhouse.importing.record import Record
from stillhouse.importing.source import Skipped, Unmapped

ORIGIN = "jsonl"
_READ = frozenset({"id", "model", "messages", "metadata", "created"})
_SAME = ("created", "latency_ms", "provider", "original", "untrainable")
_OWN = frozenset({"request", "response", "metadata", "reference", "origin", *_SAME})


def record_of(row: dict[str, Any], *, created: int, model: str | None = None, reference: str | None = None) -> Record:
    """The completion of one row; `model` where it names none. Raises Skipped, Unmapped."""
    match row:
        case {"request": dict(request), "response": dict(response)}:
            record = _own(row, dict(request), dict(response))
            read = _OWN
        case {"messages": list(messages)}:
            record = _example(row, messages, model)
            read = _READ | chat.PARAMETERS
        case _:
            raise Unmapped("neither request and response nor messages")
    of_reference = {reference.partition(".")[0]} if reference else set()
    record.notes += [f"field {name[:64]}: left out" for name in sorted(row.keys() - read - of_reference)]
    if record.created is None:
        record.created = record.response.get("created") or created
    if reference is not None:
        record.reference = _at(row, reference)
    return record


def _own(row: dict[str, Any], request: dict[str, Any], response: dict[str, Any]) -> Record:
    tagged = row.get("metadata") or request.pop("metadata", None)
    beside: dict[str, Any] = {name: row.get(name) for name in _SAME}
    record = Record(ORIGIN, request, response, **beside)
    record.tag(tagged if isinstance(tagged, dict) else {})
    return record


def _example(row: dict[str, Any], messages: list[dict[str, Any]], model: str | None) -> Record:
    notes: list[str] = []
    *asked, answer = shape.messages(messages, notes)
    if answer["role"] != "assistant" or not asked:
        raise Unmapped("the last message is no answer to another")
    if answer.get("weight") == 0:
        raise Skipped("an answer of weight 0")
    if not answer.get("content") and not answer.get("tool_calls") and not answer.get("function_call"):
        raise Unmapped("an answer without content")
    name = row.get("model") or model
    if not name:
        raise Unmapped("no model: name one with --model")
    request = {"model": name, "messages": [_bare(message) for message in asked]}
    request |= {field: row[field] for field in sorted(chat.PARAMETERS) if row.get(field) is not None}
    response = chat.completion(row.get("id"), name, {"content": None, **_bare(answer)})
    record = Record(ORIGIN, request, response, row.get("created"), notes=notes)
    metadata = row.get("metadata")
    record.tag(metadata if isinstance(metadata, dict) else {})
    return record


def _bare(message: dict[str, Any]) -> dict[str, Any]:
    """`weight` is said to a trainer, not to a model."""
    return {name: value for name, value in message.items() if name != "weight"}


def _at(row: Any, path: str) -> Any:
    for name in path.split("."):
        row = row.get(name) if isinstance(row, dict) else None
    return row
