"""A provider's Batch API: many chat completions in a file, answered within a day at half the price.

In: requests by name. Out: a batch's id and state, and the answers by name. A batch carries its `intent` as metadata, by
which a caller that died before it noted the batch's id finds it again. Raises ProviderRefused for a refusal and
ProviderAway if the provider is away. Nothing is retried here: a second POST could start and pay a second batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from foundation import foreign_json
from foundation.foreign_json import NotJSON
from providers.provider import ProviderAway, ProviderRefused, has_message

if (
    TYPE_CHECKING
):  # the openai SDK is imported below, where a batch is looked at: it takes longer than a function's start
    from openai.types import Batch

_INTENT = "stillhouse_intent"
_LOOKED_THROUGH = 500
_ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
_GATEWAY_TIMEOUT = 504


class BatchState(NamedTuple):
    """How far a batch is; `code` and `message` say why it failed. Its answers can be read however it ended."""

    id: str
    ended: bool
    status: str
    output_file_id: str | None
    code: str
    message: str


class BatchAPI:
    """The batches of one provider; each request may take `timeout_s`."""

    def __init__(self, *, base_url: str, api_key: str, timeout_s: float) -> None:
        from openai import OpenAI

        self._client = OpenAI(base_url=base_url, api_key=api_key or "none", timeout=timeout_s, max_retries=0)

    def find(self, intent: str) -> BatchState | None:
        """The batch that was started with this intent, among the newest."""
        with _translated():
            for number, batch in enumerate(self._client.batches.list(limit=100)):
                if (batch.metadata or {}).get(_INTENT) == intent:
                    return _state(batch)
                if number >= _LOOKED_THROUGH:
                    break
        return None

    def start(self, intent: str, requests: dict[str, dict[str, Any]]) -> BatchState:
        """Start a batch of these chat completions, each by a name of its own; at most 50,000 and 200 MB."""
        lines = (
            orjson.dumps({"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": request})
            for name, request in requests.items()
        )
        with _translated():
            file = self._client.files.create(file=(f"{intent}.jsonl", b"\n".join(lines)), purpose="batch")
            batch = self._client.batches.create(
                input_file_id=file.id,
                endpoint="/v1/chat/completions",
                completion_window="24h",
                metadata={_INTENT: intent},
            )
        return _state(batch)

    def look(self, batch_id: str) -> BatchState:
        with _translated():
            return _state(self._client.batches.retrieve(batch_id))

    def cancel(self, batch_id: str) -> None:
        with _translated():
            self._client.batches.cancel(batch_id)

    def answers(self, state: BatchState) -> Iterator[tuple[str, dict[str, Any]]]:
        """The answered requests by name, in no order; refused and unanswered ones, and odd lines, are absent."""
        if state.output_file_id is None:
            return
        with _translated():
            content = self._client.files.content(state.output_file_id).content
        for line in content.splitlines():
            match _line(line):
                case {"custom_id": str(name), "response": {"status_code": 200, "body": dict(body)}} if has_message(
                    body
                ):
                    yield name, body


def _line(text: bytes) -> Any:
    try:
        return foreign_json.read(text)
    except NotJSON:
        return None


def _state(batch: Batch) -> BatchState:
    faults = (batch.errors.data if batch.errors else None) or []
    code = (faults[0].code if faults else None) or "batch_failed"
    message = (faults[0].message if faults else None) or "The provider says no more."
    return BatchState(batch.id, batch.status in _ENDED, batch.status, batch.output_file_id, code, message)


@contextmanager
def _translated() -> Iterator[None]:
    import openai

    try:
        yield
    except openai.APIConnectionError as error:
        body = orjson.dumps({"error": {"message": "The model provider did not answer."}})
        raise ProviderAway(_GATEWAY_TIMEOUT, body, {}) from error
    except (openai.RateLimitError, openai.InternalServerError) as error:
        raise ProviderAway(error.status_code, error.response.content, {}) from error
    except openai.APIStatusError as error:
        raise ProviderRefused(error.status_code, error.response.content, {}) from error
