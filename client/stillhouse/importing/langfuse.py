"""Convert Langfuse exports: observations of type GENERATION, from its blob storage, its API or its UI.

In: rows in either spelling (`startTime`, `start_time`), their input and output as JSON or as text that holds JSON. Out:
records with the observation's id. Input is messages, an object with messages, or a text, which becomes the message of
a user. Output is a message, a list of one message, a whole response, or a text. Anything else raises Unmapped, and so
does an observation whose images or sounds Langfuse keeps apart: the export has a reference to them alone.
"""

from __future__ import annotations

import json
import re
from typing import Any

from stillhouse.importing import chat, shape
from stillhouse.importing.langfuse_usage import usage_of
from stillhouse.importing.record import Record, seconds
from stillhouse.importing.source import Skipped, Unmapped

ORIGIN = "langfuse"
_MEDIA = "@@@langfuseMedia:type="
_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")
_ANSWER = frozenset({"role", "content", "refusal", "tool_calls", "function_call", "reasoning_content", "annotations"})
_NUMBERS = frozenset(
    {
        "frequency_penalty",
        "max_completion_tokens",
        "max_tokens",
        "presence_penalty",
        "seed",
        "temperature",
        "top_logprobs",
        "top_p",
    }
)


def record_of(row: dict[str, Any], *, model: str | None = None, group: bool = False) -> Record:
    """Convert one observation; `model` is used if it names none, and `group` keeps the ids of its trace.

    Raises Skipped, Unmapped.
    """
    known = {_CAPITAL.sub("_", name).lower(): value for name, value in row.items()}
    if known.get("type") != "GENERATION":
        raise Skipped(f"type {known.get('type')}")
    if known.get("level") == "ERROR":
        raise Skipped("a failed call")
    prompt, given = _json(known.get("input")), _answer(known.get("output"))
    if prompt in (None, "") or given in (None, ""):
        raise Skipped("without input or output")
    if _MEDIA in f"{prompt}{given}":
        raise Unmapped("media that Langfuse keeps apart from the export")
    name = known.get("provided_model_name") or known.get("model") or model
    if not name:
        raise Unmapped("no model: name one with --model")
    notes: list[str] = []
    request = {"model": name, **_request(prompt, _json(known.get("model_parameters")) or {}, notes)}
    response = _response(given, known, notes)
    response |= {"id": known["id"], "model": response.get("model") or name}
    started, ended = seconds(known.get("start_time")), seconds(known.get("end_time"))
    latency = round((ended - started) * 1000) if started is not None and ended is not None else None
    record = Record(ORIGIN, request, response, None if started is None else int(started), latency, notes=notes)
    metadata = _json(known.get("metadata"))
    record.tag(metadata if isinstance(metadata, dict) else {})
    record.tag({field: known.get(field) for field in ("name", "prompt_name", "environment")})
    if group:
        record.tag({field: known.get(field) for field in ("trace_id", "session_id", "user_id")})
    return record


def _json(value: Any) -> Any:
    """Parse a text that holds JSON; any other value is returned as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "[", '"'):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _answer(value: Any) -> Any:
    """Parse a text only if it holds a message or a response: other JSON is the answer of a model asked for JSON."""
    parsed = _json(value)
    message = parsed[0] if isinstance(parsed, list) and len(parsed) == 1 else parsed
    return message if isinstance(message, dict) and message.keys() & {"content", "choices", "parts"} else value


def _request(prompt: Any, parameters: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    if isinstance(prompt, str):
        return {"messages": [{"role": "user", "content": prompt}], **_parameters(parameters, notes)}
    around = prompt if isinstance(prompt, dict) else {}
    messages = shape.messages(around.get("messages") if around else prompt, notes)
    own = {name: value for name, value in around.items() if name not in ("messages", "model")}
    return {"messages": messages, **_parameters({**parameters, **own}, notes)}


def _parameters(given: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in given.items():
        if value in (None, "", "None") or str(value).lower() in ("inf", "infinity"):
            continue
        if name in chat.PARAMETERS:
            kept[name] = _number(value) if name in _NUMBERS else value
        else:
            notes.append(f"parameter {name}: left out")
    return kept


def _number(value: Any) -> Any:
    """Langfuse's API gives numbers as text at times."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise Unmapped("a parameter that is no number") from None


def _response(given: Any, known: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    if isinstance(given, dict) and isinstance(given.get("choices"), list):
        return {**given}
    if isinstance(given, str):
        given = {"content": given}
    if not isinstance(given, dict) or not given.keys() & {"content", "parts"}:
        raise Unmapped("an output that is no message")
    message = shape.answer(given, notes)
    notes += [f"message {name}: left out" for name in sorted(message.keys() - _ANSWER) if message[name] is not None]
    filled = {name: message[name] for name in sorted(_ANSWER) if message.get(name)}
    if not filled.keys() - {"role", "name"}:
        raise Unmapped("an output that is no message")
    counts = usage_of(known.get("usage_details") or known.get("usage"))
    return chat.completion(None, None, {"content": None, **filled}, usage=counts)
