"""Convert TensorZero's inferences and datapoints, of chat and of JSON functions.

In: rows as its API gives them or as ClickHouse exports them, with JSON as text. Out: records with the row's id, and the
function's name as metadata. A row does not name its model. Unless one is given, it is
`tensorzero::function_name::<function>`, the function's name in TensorZero's OpenAI-compatible API. Templates are not
exported either: a templated block becomes the JSON of its arguments, which is noted.
"""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from stillhouse.importing import chat
from stillhouse.importing.record import Record, seconds
from stillhouse.importing.source import Skipped, Unmapped

ORIGIN = "tensorzero"
_NO_NAME = re.compile(r"[^a-zA-Z0-9_-]")
_UUID_WITH_TIME = 7
_ROLES = frozenset({"system", "user", "assistant"})


def record_of(row: dict[str, Any], *, model: str | None = None, group: bool = False) -> Record:
    """Convert one row; `group` keeps its episode's id. Raises Skipped, Unmapped."""
    if row.get("is_deleted") or row.get("staled_at"):
        raise Skipped("deleted or replaced")
    prompt, given = _json(row.get("input")), _json(row.get("output"))
    if given is None:
        raise Skipped("no output")
    function = row["function_name"]
    notes: list[str] = []
    request: dict[str, Any] = {
        "model": model or f"tensorzero::function_name::{function}",
        "messages": _messages(prompt, notes),
        **_parameters(_json(row.get("inference_params")) or {}, notes),
        **_tools({**row, **(_json(row.get("tool_params")) or {})}, notes),
    }
    schema = _json(row.get("output_schema"))
    if schema is not None:
        form = {"name": _NO_NAME.sub("_", function)[:64], "schema": schema}
        request["response_format"] = {"type": "json_schema", "json_schema": form}
    row_id = row.get("id") or row["inference_id"]
    latency = row.get("processing_time_ms")
    record = Record(
        ORIGIN,
        request,
        chat.completion(row_id, None, _answer(given, notes)),
        _created(row, row_id),
        latency if isinstance(latency, int) else None,
        notes=notes,
    )
    tags = _json(row.get("tags")) or {}
    record.tag({name: value for name, value in tags.items() if not name.startswith("tensorzero::")})
    record.tag({name: row.get(name) for name in ("function_name", "variant_name", "dataset_name")})
    if group:
        record.tag({"episode_id": row.get("episode_id")})
    return record


def _json(value: Any) -> Any:
    return (json.loads(value) if value else None) if isinstance(value, str) else value


def _created(row: dict[str, Any], row_id: str) -> int | None:
    known = seconds(row.get("timestamp"))
    if known is None:
        parsed = uuid.UUID(row_id)
        known = (parsed.int >> 80) / 1000 if parsed.version == _UUID_WITH_TIME else seconds(row.get("updated_at"))
    return None if known is None else int(known)


def _messages(prompt: dict[str, Any], notes: list[str]) -> list[dict[str, Any]]:
    system = prompt.get("system")
    turns = [] if system is None else [{"role": "system", "content": chat.as_text(_system(system))}]
    for message in prompt["messages"]:
        turns += chat.messages(message["role"], _blocks(message["content"], notes))
    return turns


def _system(system: Any) -> Any:
    match system:
        case {"type": "template", "arguments": arguments}:
            return arguments
        case _:
            return system


def _blocks(content: Any, notes: list[str]) -> list[chat.Block]:
    """Convert content to blocks. Earlier releases wrote a text, or a template's arguments, without blocks."""
    if isinstance(content, str):
        return [chat.Text(content)]
    blocks = content if isinstance(content, list) else [{"type": "text", "arguments": content}]
    return [converted for block in blocks if (converted := _block(block, notes))]


def _block(block: dict[str, Any], notes: list[str]) -> chat.Block | None:
    match block:
        case {"type": "text", "text": str(text)} | {"type": "text" | "raw_text", "value": str(text)}:
            return chat.Text(text)
        case {"type": "text", "arguments": given} | {"type": "text", "value": given}:
            notes.append("template: its arguments as JSON")
            return chat.Text(chat.as_text(given))
        case {"type": "template", "name": name, "arguments": given}:
            notes.append("template: its arguments as JSON")
            return chat.Text(chat.as_text(given if name in _ROLES else {"template": name, "arguments": given}))
        case {"type": "tool_call", "id": call_id}:
            arguments = block.get("raw_arguments", block.get("arguments"))
            return chat.Call(call_id, block.get("raw_name") or block["name"], chat.as_text(arguments))
        case {"type": "tool_result", "id": call_id, "result": result}:
            return chat.Result(call_id, chat.as_text(result))
        case {"type": "image" | "file"}:
            return _image(block)
        case {"type": "thought"}:
            notes.append("thinking: left out")
            return None
        case _:
            raise Unmapped(f"content block '{block.get('type')}'")


def _image(block: dict[str, Any]) -> chat.Image:
    held = block.get("image") or block.get("file") or block
    kind = held.get("mime_type") or "image/"
    if not kind.startswith("image/"):
        raise Unmapped(f"a file of type {kind}")
    if held.get("url"):
        return chat.Image(held["url"])
    if held.get("data") and held.get("mime_type"):
        return chat.Image(f"data:{kind};base64,{held['data']}")
    raise Unmapped("an image that is not in the export")


def _answer(given: Any, notes: list[str]) -> dict[str, Any]:
    if isinstance(given, list):
        return chat.answer(_blocks(given, notes))
    text = given.get("raw")
    return {"role": "assistant", "content": text if text is not None else chat.as_text(given["parsed"])}


def _parameters(params: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in (params.get("chat_completion") or {}).items():
        if value is None or name == "json_mode":
            continue
        named = "stop" if name == "stop_sequences" else name
        if named in chat.PARAMETERS:
            kept[named] = value
        else:
            notes.append(f"parameter {name}: left out")
    return kept


def _tools(params: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    defined = (params.get("tools_available") or []) + (params.get("additional_tools") or [])
    if not defined:
        if params.get("allowed_tools"):
            notes.append("tools: named in the export, not defined")
        return {}
    asked: dict[str, Any] = {
        "tools": [
            chat.function(tool["name"], tool.get("description"), tool.get("parameters"), tool.get("strict"))
            for tool in defined
        ]
    }
    choice = params.get("tool_choice")
    if choice is not None:
        named = choice.get("specific") if isinstance(choice, dict) else None
        asked["tool_choice"] = {"type": "function", "function": {"name": named}} if named else choice
    if params.get("parallel_tool_calls") is not None:
        asked["parallel_tool_calls"] = params["parallel_tool_calls"]
    return asked
