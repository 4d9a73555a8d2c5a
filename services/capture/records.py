"""The limits of a pushed record, and what kind of call it records.

`fast` and `shapes` share them. Nothing here imports pydantic, because every cold start of the ingest imports this.
"""

from __future__ import annotations

from typing import Any

LATENCY_END = 1 << 53
COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")
LONGEST_ORIGIN = 64
LONGEST_ALIAS = 64
ALIAS = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
VERSIONS_END = 1 << 31
_INPUT_FIELDS = frozenset({"input", "previous_response_id"})


def is_response(record: Any) -> bool:
    """Whether a record is of the Responses API, not of a chat completion.

    The response's `object` is "response", or it has an `output` and no `choices`. A failed call's answer has neither;
    then the request decides: it has no `messages`, but an `input` or a `previous_response_id`.
    """
    response = record.get("response") if isinstance(record, dict) else None
    if not isinstance(response, dict):
        return False
    if response.get("object") == "response" or ("output" in response and "choices" not in response):
        return True
    request = record.get("request")
    asks_for_response = (
        isinstance(request, dict) and "messages" not in request and not request.keys().isdisjoint(_INPUT_FIELDS)
    )
    return is_failure(response) and asks_for_response


def is_exported_response(record: Any) -> bool:
    """Whether a record is a response as an export has it: a chat completion that carries its `original`."""
    return isinstance(record, dict) and bool(record.get("original")) and isinstance(record.get("response"), dict)


def is_failure(response: dict[str, Any]) -> bool:
    """Whether the provider answered a call with an error object instead of choices."""
    return response.get("error") is not None and response.get("object") != "response" and not response.get("choices")
