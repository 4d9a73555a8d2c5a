"""Convert Amazon Bedrock's model invocation logs.

In: records of schema ModelInvocationLog, their bodies inline or, over 100 KB, in an S3 object. Out: records
with their request id, tagged with the caller's `requestMetadata`. Bodies of Converse, of Anthropic's messages and of
OpenAI's shape are converted, streamed answers assembled. A body of another shape raises Unmapped, naming its model.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from stillhouse.capturing.assemble import completion_in
from stillhouse.importing import anthropic, chat, converse, shape
from stillhouse.importing.record import Record, seconds
from stillhouse.importing.source import Skipped, Unmapped

ORIGIN = "bedrock"
_METRICS = "amazon-bedrock-invocationMetrics"


def record_of(row: dict[str, Any], body_at: Callable[[str], Any]) -> Record:
    """Convert one log record; `body_at` reads the JSON at an S3 path. Raises Skipped, Unmapped."""
    if row.get("schemaType") != "ModelInvocationLog":
        raise Skipped("no record of an invocation")
    if row.get("errorCode"):
        raise Skipped("a failed call")
    asked, answered = _body(row, "input", body_at), _body(row, "output", body_at)
    notes: list[str] = []
    model = row["modelId"]
    request, response = _mapped(asked, answered, notes, model)
    response = {**response, "id": row["requestId"], "model": model}
    response.pop(_METRICS, None)
    at = seconds(row.get("timestamp"))
    record = Record(
        ORIGIN, {"model": model, **request}, response, None if at is None else int(at), _latency(answered), notes=notes
    )
    record.tag(row.get("requestMetadata") or {})
    return record


def _body(row: dict[str, Any], side: str, body_at: Callable[[str], Any]) -> Any:
    holder = row.get(side) or {}
    body = holder.get(f"{side}BodyJson")
    path = holder.get(f"{side}BodyS3Path")
    if body is None and path:
        body = body_at(path)
    if body is None:
        raise Skipped(f"no {side}: the log was set up without text, or the call gave none")
    return body


def _mapped(asked: Any, answered: Any, notes: list[str], model: str) -> tuple[dict[str, Any], dict[str, Any]]:
    match answered:
        case {"output": {"message": _}}:
            return converse.request(asked, notes), converse.response(answered, notes)
        case {"type": "message", "content": _}:
            return anthropic.request(asked, notes), anthropic.response(answered, notes)
        case [{"type": "message_start"}, *_]:
            return anthropic.request(asked, notes), anthropic.response(anthropic.assembled(answered), notes)
        case {"choices": [{"message": _}, *_]}:
            return _openai_request(asked, notes), dict(answered)
        case [{"choices": _}, *_]:
            return _openai_request(asked, notes), _openai_assembled(answered)
        case _:
            raise Unmapped(f"a body of {model} that is no chat")


def _openai_request(asked: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    request = {"messages": shape.messages(asked.get("messages"), notes)}
    other = asked.keys() - {"messages", "model", "stream", "stream_options"}
    notes += [f"parameter {name}: left out" for name in sorted(other - chat.PARAMETERS)]
    return request | {name: asked[name] for name in sorted(other & chat.PARAMETERS)}


def _openai_assembled(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    events = b"".join(b"data: %s\n\n" % json.dumps(chunk).encode() for chunk in chunks)
    completion = completion_in(events + b"data: [DONE]\n\n")
    if completion is None:
        raise Unmapped("a stream without its end")
    return completion


def _latency(answered: Any) -> int | None:
    """Return the latency in milliseconds: Converse has it in its answer, a stream in its last event."""
    last = answered[-1] if isinstance(answered, list) else answered
    if _METRICS in last:
        milliseconds = last[_METRICS].get("invocationLatency")
    else:
        milliseconds = (last.get("metrics") or {}).get("latencyMs")
    return milliseconds if isinstance(milliseconds, int) else None
