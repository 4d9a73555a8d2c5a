"""Write a whole response as the server-sent events that `stream=true` asks for.

In: a response. Out: the events of OpenAI's stream with their sequence numbers: `response.created`, for each item of the
output its beginning, its parts, its end, and at last `response.completed`, or how else it ended. A text is one delta:
where an answer leaves whole, smaller pieces would arrive no earlier.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

type Event = dict[str, Any]
"""An event without its number."""

ENDS = ("completed", "incomplete", "failed")
"""How a response may end."""
CONTENT_PART = "response.content_part"
"""The beginning of the names of a part's events."""
_UNKNOWN_YET: dict[str, Any] = {
    "completed_at": None,
    "error": None,
    "incomplete_details": None,
    "output": [],
    "usage": None,
}


class _Deltas(NamedTuple):
    """The field that comes as deltas, and the beginning of its events' names."""

    field: str
    event: str


_DELTAS = {
    "output_text": _Deltas("text", "response.output_text"),
    "refusal": _Deltas("refusal", "response.refusal"),
    "reasoning_text": _Deltas("text", "response.reasoning_text"),
    "summary_text": _Deltas("text", "response.reasoning_summary_text"),
    "function_call": _Deltas("arguments", "response.function_call_arguments"),
    "custom_tool_call": _Deltas("input", "response.custom_tool_call_input"),
}
"""What of a part or a call comes as deltas, by its type."""


def is_response(answered: dict[str, Any]) -> bool:
    """Whether a provider's answer is a response: it has items as its output, whatever is in them."""
    output = answered.get("output")
    return isinstance(output, list) and all(isinstance(item, dict) for item in output)


def events(response: dict[str, Any], *, after: int = -1) -> bytes:
    """The body of the event stream, without the events up to the sequence number `after`.

    What is no response, such as an error with status 200, is one event as it is.
    """
    if not is_response(response):
        return b"data: " + orjson.dumps(response) + b"\n\n"
    numbered = enumerate(_events(response))
    return b"".join(
        written(event["type"], orjson.dumps({**event, "sequence_number": number}))
        for number, event in numbered
        if number > after
    )


def written(kind: str, data: bytes) -> bytes:
    """The event of this type, or of none where it is empty, with this data."""
    named = f"event: {' '.join(kind.split())}\n".encode() if kind else b""
    return named + b"data: " + data.replace(b"\n", b"\ndata: ") + b"\n\n"


def _events(response: dict[str, Any]) -> Iterator[Event]:
    yield from begun(response)
    for position, item in enumerate(response["output"]):
        yield from of_item(position, item)
    yield ended(response)


def begun(response: dict[str, Any]) -> Iterator[Event]:
    """The beginning of a response, without what is unknown then."""
    yet = {**response, **_UNKNOWN_YET, "status": "in_progress"}
    yield {"type": "response.created", "response": yet}
    yield {"type": "response.in_progress", "response": yet}


def of_item(position: int, item: dict[str, Any]) -> Iterator[Event]:
    """All events of an item of the output."""
    yield item_begun(position, item)
    for event in _of_item(item):
        yield {"item_id": item.get("id"), "output_index": position, **event}
    yield item_ended(position, item)


def item_begun(position: int, item: dict[str, Any]) -> Event:
    return {"type": "response.output_item.added", "output_index": position, "item": _begun(item)}


def item_ended(position: int, item: dict[str, Any]) -> Event:
    return {"type": "response.output_item.done", "output_index": position, "item": item}


def ended(response: dict[str, Any]) -> Event:
    """The last event, which says how the response has ended."""
    status = response.get("status")
    return {"type": f"response.{status if status in ENDS else 'completed'}", "response": response}


def _begun(item: dict[str, Any]) -> dict[str, Any]:
    """An item before anything of it was said."""
    empty: dict[str, Any] = {"status": "in_progress"} if "status" in item else {}
    match item.get("type"):
        case "message":
            empty["content"] = []
        case "reasoning":
            empty |= {"summary": []} | ({"content": []} if item.get("content") else {})
        case "function_call" | "custom_tool_call" as kind:
            empty[_DELTAS[kind].field] = ""
    return {**item, **empty}


def _of_item(item: dict[str, Any]) -> Iterator[Event]:
    """What is said between the beginning and the end of an item; nothing for items of hosted tools."""
    if item.get("type") in ("message", "reasoning"):
        for number, part in enumerate(_list_of(item.get("summary"))):
            yield from of_part("response.reasoning_summary_part", {"summary_index": number}, part)
        for number, part in enumerate(_list_of(item.get("content"))):
            yield from of_part(CONTENT_PART, {"content_index": number}, part)
    elif deltas := _deltas(item):
        value = item[deltas.field]
        named = {"name": item.get("name")} if deltas.field == "arguments" else {}
        yield {"type": f"{deltas.event}.delta", "delta": value}
        yield {"type": f"{deltas.event}.done", deltas.field: value, **named}


def of_part(event: str, place: dict[str, int], part: Any) -> Iterator[Event]:
    """The events of a part. What has no text in the place where its type has one comes as a whole."""
    deltas = _deltas(part)
    if deltas is None:
        yield {"type": f"{event}.added", **place, "part": part}
        yield {"type": f"{event}.done", **place, "part": part}
        return
    yield part_begun(event, place, part)
    yield part_said(place, part, part[deltas.field])
    yield from part_ended(event, place, part)


def part_begun(event: str, place: dict[str, int], part: dict[str, Any]) -> Event:
    """The beginning of a part that is said in pieces."""
    of_text: dict[str, Any] = {"annotations": [], "logprobs": []} if part["type"] == "output_text" else {}
    return {"type": f"{event}.added", **place, "part": {**part, _DELTAS[part["type"]].field: "", **of_text}}


def part_said(place: dict[str, int], part: dict[str, Any], piece: str) -> Event:
    """A piece of a part."""
    return {"type": f"{_DELTAS[part['type']].event}.delta", **place, "delta": piece, **_logprobs(part)}


def part_ended(event: str, place: dict[str, int], part: dict[str, Any]) -> Iterator[Event]:
    """The end of a part that was said in pieces, with all that is noted in it."""
    deltas = _DELTAS[part["type"]]
    for number, annotation in enumerate(_list_of(part.get("annotations"))):
        noted = {"annotation_index": number, "annotation": annotation}
        yield {"type": "response.output_text.annotation.added", **place, **noted}
    yield {"type": f"{deltas.event}.done", **place, deltas.field: part[deltas.field], **_logprobs(part)}
    yield {"type": f"{event}.done", **place, "part": part}


def _logprobs(part: dict[str, Any]) -> dict[str, Any]:
    return {"logprobs": part.get("logprobs") or []} if part["type"] == "output_text" else {}


def _deltas(part: Any) -> _Deltas | None:
    """What of a part or a call comes as deltas; None if nothing does."""
    match part:
        case {"type": str(kind)} if kind in _DELTAS and isinstance(part.get(_DELTAS[kind].field), str):
            return _DELTAS[kind]
    return None


def _list_of(value: Any) -> list[Any]:
    """A list as it is; for anything else an empty one."""
    return value if isinstance(value, list) else []
