"""Read stored completions of OpenAI, of Azure OpenAI, or of any server with their API.

In: an SDK client and the filters of the list. Out: records with the completions' own ids, oldest first. A stored
completion does not hold its request: its messages are fetched by a request of their own, eight of these at a time, and
the parameters that it echoes (tools, temperature, response_format, …) are put back. The SDK retries throttled requests.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from openai import OpenAI, OpenAIError

from stillhouse.importing.record import Record
from stillhouse.importing.source import Item, Left, Unmapped
from stillhouse.importing.stopped import Stopped

_PAGE = 100
_AT_ONCE = 8
_ECHOED = (
    "tools",
    "tool_choice",
    "seed",
    "top_p",
    "temperature",
    "presence_penalty",
    "frequency_penalty",
    "response_format",
)
_BESIDE = frozenset(
    {*_ECHOED, "metadata", "request_id", "input_user", "latency_ms", "reference", "origin", "untrainable", "original"}
)
"""The fields of a stored completion that are none of the response; all others are, also those that nobody knows yet."""
_OF_LIST = frozenset({"id", "object", "content", "content_parts"})
"""The fields of a stored message that are none of the message, or are read apart."""


class StoredSource:
    """The stored completions that match a filter."""

    total = None

    def __init__(self, client: OpenAI, origin: str, *, model: str | None, metadata: dict[str, str]) -> None:
        place = str(client.base_url)
        self.identity = {"source": origin, "place": place, "model": model, "metadata": metadata}
        self.position = 0
        self._client = client
        self._origin = origin
        self._filter: dict[str, Any] = {"model": model} if model else {}
        if metadata:
            self._filter["metadata"] = metadata

    def items(self, cursor: Any) -> Iterator[Item]:
        asked: dict[str, Any] = {**self._filter, "limit": _PAGE, "order": "asc"}
        if cursor is not None:
            asked["after"] = cursor
        try:
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                for page in self._client.chat.completions.list(**asked).iter_pages():
                    stored = [completion.to_dict(mode="json") for completion in page.data]
                    for completion, outcome in zip(stored, pool.map(self._outcome, stored), strict=True):
                        self.position += 1
                        yield Item(str(completion.get("id")), completion.get("id"), outcome)
        except OpenAIError as error:
            raise Stopped(f"{self._client.base_url}: {_why(error)}") from None

    def _outcome(self, stored: dict[str, Any]) -> Record | Left:
        messages = self._client.chat.completions.messages.list(str(stored["id"]), limit=_PAGE)
        asked = [_message(message.to_dict(mode="json")) for message in messages]
        if not asked:
            return Unmapped("no messages are stored with it")
        return record_of(stored, asked, self._origin)


def record_of(stored: dict[str, Any], messages: list[dict[str, Any]], origin: str) -> Record:
    """Build the record of a call from a stored completion and its messages."""
    request = {"model": stored.get("model"), "messages": messages}
    request |= {name: stored[name] for name in _ECHOED if stored.get(name) is not None}
    if stored.get("input_user"):
        request["user"] = stored["input_user"]
    response = {name: value for name, value in stored.items() if name not in _BESIDE and value is not None}
    latency = stored.get("latency_ms")
    record = Record(origin, request, response, stored.get("created"), latency if isinstance(latency, int) else None)
    # Only another Stillhouse says this, where the chat completion does not say everything.
    record.untrainable = stored.get("untrainable")
    record.tag(stored.get("metadata") or {})
    return record


def _message(stored: dict[str, Any]) -> dict[str, Any]:
    """Return the message as it was sent: content parts become its content, null fields are dropped."""
    message = {name: value for name, value in stored.items() if name not in _OF_LIST and value is not None}
    return {**message, "content": stored.get("content_parts") or stored.get("content")}


def _why(error: OpenAIError) -> str:
    status = getattr(error, "status_code", None)
    return f"it answers {status}" if status else type(error).__name__
