"""A response whose provider has only chat completions, given on event by event.

In: the events of a streamed chat completion, of which the first has come. Out: the events of the response that says the
same, each as soon as its chunk is there: what the model thinks, then its text. Calls of tools, refusals and whatever
else the answer has come with its end, of the whole. The capture comes before the last event.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from completions.messages import reasoning_of, text_of
from foundation import loop
from foundation.ids import new_id
from gateway.assembled import Assembled
from gateway.live import DONE, Capture, has_token, is_error, why_broken
from gateway.responses import stream
from gateway.responses.answer import response_of
from providers import EventStream, ProviderRefused

_PLACE = {"content_index": 0}
_BROKEN = "The model provider's stream broke off."


class _Item:
    """An item that is being said: the model's thoughts, or its message."""

    def __init__(self, position: int, kind: str) -> None:
        self.position = position
        thinks = kind == "reasoning"
        also: dict[str, Any] = {"summary": []} if thinks else {"role": "assistant", "status": "in_progress"}
        self.begun: dict[str, Any] = {"type": kind, "id": new_id("rs_" if thinks else "msg_"), **also}
        self._part = {"type": "reasoning_text" if thinks else "output_text", "text": ""}
        self._said: list[str] = []
        self.is_open = True

    def begin(self) -> Iterator[stream.Event]:
        yield stream.item_begun(self.position, {**self.begun, "content": []})
        yield self._placed(stream.part_begun(stream.CONTENT_PART, _PLACE, self._part))

    def say(self, piece: str) -> stream.Event:
        self._said.append(piece)
        return self._placed(stream.part_said(_PLACE, self._part, piece))

    def end(self, whole: dict[str, Any] | None = None) -> Iterator[stream.Event]:
        """Its end, with all that the whole answer has in its place; as it was said, where that is not known yet."""
        self.is_open = False
        parts = (whole or {}).get("content") or [{**self._part, "text": "".join(self._said)}]
        for event in stream.part_ended(stream.CONTENT_PART, _PLACE, parts[0]):
            yield self._placed(event)
        for number, part in enumerate(parts[1:], 1):
            for event in stream.of_part(stream.CONTENT_PART, {"content_index": number}, part):
                yield self._placed(event)
        yield stream.item_ended(
            self.position, {**self.begun, **(whole or {}), "content": parts, "id": self.begun["id"]}
        )

    def _placed(self, event: stream.Event) -> stream.Event:
        return {"item_id": self.begun["id"], "output_index": self.position, **event}


class SpokenResponse:
    """The answer to one request. `ours` are the fields that it has from us; `ends` is when the call is cut."""

    def __init__(
        self, events: EventStream, request: dict[str, Any], *, ours: dict[str, Any], capture: Capture, ends: float
    ) -> None:
        self._stream = events
        self._request = request
        self._ours = ours
        self._capture = capture
        self._ends = ends
        self._assembled = Assembled()
        self._head: dict[str, Any] = {}
        self._items: dict[str, _Item] = {}
        self._first_token_ms: int | None = None

    def pieces(self) -> Iterator[bytes]:
        """The body of the event stream."""
        for number, event in enumerate(self._events()):
            yield stream.written(event["type"], orjson.dumps({**event, "sequence_number": number}))

    def _events(self) -> Iterator[stream.Event]:
        try:
            while (event := loop.run(self._stream.next())) and not event.data.startswith(DONE):
                if is_error(event):
                    yield _error(event.document)
                    return
                self._assembled.add(event)
                if event.document:
                    yield from self._said(event.document)
            yield from self._end()
            loop.run(self._stream.end())
        except ProviderRefused as refusal:
            message, code = why_broken(refusal, self._ends)
            yield _error({"message": message, "code": code})
        finally:
            self._stream.close()

    def _said(self, chunk: dict[str, Any]) -> Iterator[stream.Event]:
        """What a chunk says more of the first choice."""
        if not self._head:
            self._head = self._response({**chunk, "choices": [{"message": {}}]})
            yield from stream.begun(self._head)
        if self._first_token_ms is None and has_token(chunk):
            self._first_token_ms = self._stream.took_ms()
        delta = _first_delta(chunk)
        for kind, piece in (("reasoning", reasoning_of(delta)), ("message", text_of(delta.get("content") or ""))):
            if piece:
                yield from self._say(kind, piece)

    def _say(self, kind: str, piece: str) -> Iterator[stream.Event]:
        if kind == "reasoning" and "message" in self._items:
            # What is thought after the answer has begun stands in the last event.
            return
        if kind not in self._items:
            for item in self._items.values():
                yield from item.end()
            self._items[kind] = _Item(len(self._items), kind)
            yield from self._items[kind].begin()
        yield self._items[kind].say(piece)

    def _end(self) -> Iterator[stream.Event]:
        completion = self._assembled.completion()
        if completion is None:
            yield _error({"message": _BROKEN, "code": "stream_broken"})
            return
        response = self._response(completion)
        # What was said keeps the place in which it was said.
        response["output"].sort(key=lambda item: item["type"] not in self._items)
        for position, item in enumerate(response["output"]):
            said = self._items.get(item["type"])
            if said is None:
                yield from stream.of_item(position, item)
                continue
            item["id"] = said.begun["id"]
            if said.is_open:
                yield from said.end(item)
        self._capture(response, self._stream.took_ms(), self._first_token_ms)
        yield stream.ended(response)

    def _response(self, completion: dict[str, Any]) -> dict[str, Any]:
        """The response that a completion is, under the id and the time that it has begun with."""
        named: dict[str, Any] = {name: self._head[name] for name in ("id", "created_at") if name in self._head}
        return {**response_of(completion, self._request), **named, **self._ours}


def _first_delta(chunk: dict[str, Any]) -> dict[str, Any]:
    match chunk.get("choices"):
        case [{"delta": dict(delta), **choice}, *_] if not choice.get("index"):
            return delta
    return {}


def _error(told: Any) -> stream.Event:
    error = told.get("error", told) if isinstance(told, dict) else {}
    said = error if isinstance(error, dict) else {"message": error}
    message, code = said.get("message") or _BROKEN, said.get("code")
    return {"type": "error", "code": None if code is None else str(code), "message": str(message), "param": None}
