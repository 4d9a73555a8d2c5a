"""Write a whole response as the server-sent events that `stream=true` asks for.

In: a response. Out: the events of OpenAI's stream with their sequence numbers: `response.created`, for each item of the
output its beginning, its parts, its end, and at last `response.completed`, or how else it ended. A text is one delta:
the managed Python runtime buffers an answer whole, so smaller pieces would arrive no earlier.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

type _Event = dict[str, Any]

_ENDS = ("completed", "incomplete", "failed")
_UNKNOWN_YET: dict[str, Any] = {
    "completed_at": None,
    "error": None,
    "incomplete_details": None,
    "output": [],
    "usage": None,
}
# The field of a call that comes as deltas, and the beginning of its events' names.
_CALLS = {
    "function_call": ("arguments", "response.function_call_arguments"),
    "custom_tool_call": ("input", "response.custom_tool_call_input"),
}


def events(response: dict[str, Any]) -> bytes:
    """The body of the event stream; what is no response, such as an error with status 200, is one event as it is."""
    if not isinstance(response.get("output"), list):
        return b"data: " + orjson.dumps(response) + b"\n\n"
    return b"".join(_written({**event, "sequence_number": number}) for number, event in enumerate(_events(response)))


def _written(event: _Event) -> bytes:
    return f"event: {event['type']}\ndata: ".encode() + orjson.dumps(event) + b"\n\n"


def _events(response: dict[str, Any]) -> Iterator[_Event]:
    begun = {**response, **_UNKNOWN_YET, "status": "in_progress"}
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for position, item in enumerate(response["output"]):
        yield {"type": "response.output_item.added", "output_index": position, "item": _begun(item)}
        for event in _of_item(item):
            yield {"item_id": item.get("id"), "output_index": position, **event}
        yield {"type": "response.output_item.done", "output_index": position, "item": item}
    status = response.get("status")
    yield {"type": f"response.{status if status in _ENDS else 'completed'}", "response": response}


def _begun(item: dict[str, Any]) -> dict[str, Any]:
    """An item before anything of it was said."""
    empty: dict[str, Any] = {"status": "in_progress"} if "status" in item else {}
    match item.get("type"):
        case "message":
            empty["content"] = []
        case "reasoning":
            empty |= {"summary": []} | ({"content": []} if item.get("content") else {})
        case "function_call" | "custom_tool_call":
            empty[_CALLS[item["type"]][0]] = ""
    return {**item, **empty}


def _of_item(item: dict[str, Any]) -> Iterator[_Event]:
    """What is said between the beginning and the end of an item; nothing for items of hosted tools."""
    match item.get("type"):
        case "message":
            for position, part in enumerate(item.get("content") or ()):
                yield from _of_part(position, part)
        case "reasoning":
            yield from _of_reasoning(item)
        case "function_call" | "custom_tool_call":
            field, name = _CALLS[item["type"]]
            yield {"type": f"{name}.delta", "delta": item[field]}
            named = {"name": item["name"]} if field == "arguments" else {}
            yield {"type": f"{name}.done", field: item[field], **named}


def _of_part(position: int, part: dict[str, Any]) -> Iterator[_Event]:
    """The events of a part of a message: a text or a refusal."""
    is_text = part.get("type") == "output_text"
    field = "text" if is_text else "refusal"
    name = "response.output_text" if is_text else "response.refusal"
    place = {"content_index": position}
    logprobs = {"logprobs": part.get("logprobs") or []} if is_text else {}
    blank = {**part, field: "", **({"annotations": [], "logprobs": []} if is_text else {})}
    yield {"type": "response.content_part.added", **place, "part": blank}
    yield {"type": f"{name}.delta", **place, "delta": part[field], **logprobs}
    for number, annotation in enumerate(part.get("annotations") or ()):
        yield {
            "type": "response.output_text.annotation.added",
            **place,
            "annotation_index": number,
            "annotation": annotation,
        }
    yield {"type": f"{name}.done", **place, field: part[field], **logprobs}
    yield {"type": "response.content_part.done", **place, "part": part}


def _of_reasoning(item: dict[str, Any]) -> Iterator[_Event]:
    for number, part in enumerate(item.get("summary") or ()):
        place = {"summary_index": number}
        name = "response.reasoning_summary"
        yield {"type": f"{name}_part.added", **place, "part": {**part, "text": ""}}
        yield {"type": f"{name}_text.delta", **place, "delta": part["text"]}
        yield {"type": f"{name}_text.done", **place, "text": part["text"]}
        yield {"type": f"{name}_part.done", **place, "part": part}
    for number, part in enumerate(item.get("content") or ()):
        place = {"content_index": number}
        yield {"type": "response.content_part.added", **place, "part": {**part, "text": ""}}
        yield {"type": "response.reasoning_text.delta", **place, "delta": part["text"]}
        yield {"type": "response.reasoning_text.done", **place, "text": part["text"]}
        yield {"type": "response.content_part.done", **place, "part": part}
