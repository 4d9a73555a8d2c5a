"""The chat completion that the chunks of a stream add up to.

In: the events in their order. Out: the completion as the provider gives it without `stream`; None where the stream is
not whole, holds an error or what is no chunk, or is larger than is held. The wrapper makes the same of the same stream,
and a test draws streams to hold both to that; here it grows while the stream goes by, and chunks are not kept.

Fields are put together by their kind, whether they are known or not. Within a delta, strings and lists are appended and
objects merged; beside it in a choice, lists are appended and all else is replaced; of the whole completion the last
value holds, because providers repeat such fields in every chunk.
"""

from __future__ import annotations

from typing import Any

from foundation.consumer import logger
from providers import Event

MOST_BYTES = 64 * 1024 * 1024
"""So many bytes of chunks are put together. A chunk has hundreds of bytes for each token."""
# Sent again by some providers in every chunk of a call; the rest of a delta's strings are pieces.
_WHOLE = frozenset({"id", "type", "name", "role", "format", "index", "expires_at"})
_FIRST = frozenset({"id", "created", "model"})
_OF_CHUNKS = frozenset({"object", "choices", "obfuscation"})


class _Text(list[str]):
    """A text in its pieces: to add each to the text before it would copy that every time."""

    def __bool__(self) -> bool:
        return any(self)


class Assembled:
    """A completion that grows."""

    def __init__(self) -> None:
        self._head: dict[str, Any] = {"id": None, "object": "chat.completion", "created": None, "model": None}
        self._choices: dict[int, dict[str, Any]] = {}
        self._left = MOST_BYTES
        self._odd = False

    def add(self, event: Event) -> None:
        """Add the chunk of an event. What is no chunk of a known shape leaves the completion without an end.

        An event without data says nothing.
        """
        if not event.data.strip():
            return
        chunk = event.document
        self._left -= len(event.data)
        if self._odd or self._left < 0 or chunk is None or chunk.get("error"):
            self._odd = True
            return
        try:
            self._add(chunk)
        except Exception:  # noqa: BLE001 - whatever a provider sends, its stream goes on
            logger().warning("a chunk of a stream cannot be put together with the others")
            self._odd = True

    def _add(self, chunk: dict[str, Any]) -> None:
        for name, value in chunk.items():
            if name not in _OF_CHUNKS and value is not None and not (name in _FIRST and self._head[name]):
                self._head[name] = value
        for part in chunk.get("choices") or ():
            _add_choice(self._choices, part)

    def completion(self) -> dict[str, Any] | None:
        """The completion, if the reason is known for which each of its choices ended."""
        if self._odd:
            return None
        try:
            finished = [_finished(self._choices[index]) for index in sorted(self._choices)]
        except Exception:  # noqa: BLE001 - places that have no order, calls that are no objects
            logger().warning("the chunks of a stream add up to no completion")
            return None
        if not finished or not all(choice["finish_reason"] for choice in finished):
            return None
        return {name: value for name, value in self._head.items() if value is not None} | {"choices": finished}


def _add_choice(choices: dict[int, dict[str, Any]], part: dict[str, Any]) -> None:
    index = part.get("index") or 0
    choice = choices.setdefault(index, {"index": index, "message": {"role": "assistant"}, "finish_reason": None})
    for name, value in part.items():
        if name == "delta":
            _merge(choice["message"], value or {})
        elif name == "logprobs" and value is not None:
            _merge(choice.setdefault("logprobs", {}), value)
        elif name == "finish_reason":
            # Some providers send an empty reason with every chunk: only a word says that the choice has ended.
            choice[name] = value or choice[name]
        elif isinstance(value, list):
            _merge(choice, {name: value})
        elif value is not None:
            choice[name] = value


def _merge(whole: dict[str, Any], delta: dict[str, Any]) -> None:
    for name, value in delta.items():
        known = whole.get(name)
        if name == "content" and known and value and _kind_of(known) is not _kind_of(value):
            whole[name] = _joined(known, value)
        elif isinstance(value, list):
            if value and known and _is_said(known):
                raise TypeError("a list where a text has begun")
            whole[name] = known = known or []
            _merge_list(known, value)
        elif isinstance(value, dict):
            whole[name] = known = known or {}
            _merge(known, value)
        elif isinstance(value, str) and name not in _WHOLE:
            whole[name] = _going_on(known, value)
        elif value or known is None:
            whole[name] = value


def _going_on(known: Any, piece: str) -> Any:
    """A text with its next piece; whatever else was there is replaced, unless by nothing."""
    match known:
        case _Text():
            known.append(piece)
        case str():
            # An entry of a list, which came as a whole before.
            return _Text([known, piece])
        case _:
            return _Text([piece]) if piece or known is None else known
    return known


def _is_said(value: Any) -> bool:
    return isinstance(value, str | _Text)


def _kind_of(value: Any) -> type:
    return str if _is_said(value) else type(value)


def _joined(known: Any, value: Any) -> list[Any]:
    """The parts of a content whose pieces are of several kinds: thoughts as parts, then the answer as plain text."""
    parts = _parts(known)
    for part in _parts(value):
        if parts and _is_text(part) and _is_text(parts[-1]):
            parts[-1] = {**parts[-1], "text": _going_on(parts[-1]["text"], part["text"])}
        else:
            parts.append(part)
    return parts


def _parts(content: Any) -> list[Any]:
    if isinstance(content, list) and not isinstance(content, _Text):
        return content
    return [{"type": "text", "text": content} if _is_said(content) else content]


def _is_text(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "text" and _is_said(part.get("text"))


def _merge_list(whole: list[Any], delta: list[Any]) -> None:
    """Merge an entry that goes on with a known one into it; append any other."""
    for entry in delta:
        known = _begun(whole, entry) if isinstance(entry, dict) else None
        if known is not None:
            _merge(known, entry)
        elif isinstance(entry, dict) and isinstance(entry.get("index"), int):
            whole.append({"index": entry["index"]})
            _merge(whole[-1], entry)
        else:
            whole.append(entry)


def _begun(whole: list[Any], entry: dict[str, Any]) -> dict[str, Any] | None:
    """The entry with which this piece goes on; None if it begins one.

    It is the last one with the same index, unless the piece has another id: some providers number all parallel calls 0.
    An id alone does not begin a call, since others give each piece of a call a new one. A piece of a call that has
    neither index nor id goes on with the last call.
    """
    index = entry.get("index")
    if isinstance(index, int):
        known = next((one for one in reversed(whole) if isinstance(one, dict) and one.get("index") == index), None)
        is_another = known is not None and entry.get("id") and known.get("id") and entry["id"] != known["id"]
        return None if is_another and _begins(entry) else known
    goes_on = _called(entry) is not None and not entry.get("id") and not _begins(entry)
    return whole[-1] if goes_on and whole and isinstance(whole[-1], dict) else None


def _begins(entry: dict[str, Any]) -> bool:
    """Whether a piece names what is called, or is not of a call."""
    called = _called(entry)
    return called is None or bool(called.get("name"))


def _called(entry: dict[str, Any]) -> dict[str, Any] | None:
    called = entry.get("function") or entry.get("custom")
    return called if isinstance(called, dict) else None


def _finished(choice: dict[str, Any]) -> dict[str, Any]:
    choice = _without_pieces(choice)
    message = {"content": None, "refusal": None} | choice["message"]
    calls = message.get("tool_calls")
    if calls:
        # The index tells the pieces of parallel calls apart; a whole message has none.
        ordered = sorted(calls, key=lambda call: call.get("index") if call.get("index") is not None else len(calls))
        message["tool_calls"] = [{name: call[name] for name in call if name != "index"} for call in ordered]
    return choice | {"message": message}


def _without_pieces(value: Any) -> Any:
    match value:
        case _Text():
            return "".join(value)
        case dict():
            return {name: _without_pieces(inner) for name, inner in value.items()}
        case list():
            return [_without_pieces(inner) for inner in value]
    return value
