"""What a pushed record is: a chat completion as most of them are, or one of the other shapes.

The shapes are pydantic's (`shapes`), which takes a third of a cold start to import and as long for a record as reading
its JSON. So a record that is plainly sound is not given to them; whatever is odd in any way is, also what is wrong, and
they say how. A test holds both against each other.
"""

from __future__ import annotations

from typing import Any

from completions.completion import LONGEST_TAG, LONGEST_TAG_NAME, MOST_TAGS

_ROLES = ("user", "assistant", "system", "tool", "developer", "function")
# Milliseconds would sort after everything.
SECONDS_END = 1 << 33
LATENCY_END = 1 << 53
LONGEST_ID = 256
LONGEST_ORIGIN = 64
_TAKEN = frozenset({"request", "response", "metadata", "reference", "created", "latency_ms", "provider", "origin"})
_NEW_INPUT = frozenset({"input", "previous_response_id"})


def plain_chat(record: Any) -> dict[str, Any] | None:
    """The fields of a Completion in a record that is plainly an answered chat completion; None where it is not."""
    request = record.get("request") if type(record) is dict else None
    response = record.get("response") if type(record) is dict else None
    if type(request) is not dict or type(response) is not dict or response.get("object") == "response":
        return None
    choices, origin, provider = response.get("choices"), record.get("origin"), record.get("provider")
    sound = (
        _are_messages(request.get("messages"))
        and type(choices) is list
        and _are_messages([one.get("message") if type(one) is dict else None for one in choices])
        and request.get("model") is not None
        and _are_names(request["model"], response.get("id"), response.get("model"))
        and _are_counts(SECONDS_END, record.get("created"), response.get("created"))
        and _are_counts(LATENCY_END, record.get("latency_ms"))
        and _are_tags(request.get("metadata"))
        and _are_tags(record.get("metadata"))
        and (provider is None or type(provider) is str)
        and (origin is None or (type(origin) is str and len(origin) <= LONGEST_ORIGIN))
    )
    if not sound:
        return None
    return record if record.keys() <= _TAKEN else {name: record[name] for name in _TAKEN & record.keys()}


def _are_messages(values: Any) -> bool:
    if type(values) is not list or not values:
        return False
    return not [one for one in values if type(one) is not dict or one.get("role") not in _ROLES]


def _are_names(*values: Any) -> bool:
    return not [one for one in values if one is not None and not (type(one) is str and 0 < len(one) <= LONGEST_ID)]


def _are_counts(end: int, *values: Any) -> bool:
    return not [one for one in values if one is not None and not (type(one) is int and 0 <= one < end)]


def _are_tags(values: Any) -> bool:
    if values is None:
        return True
    if type(values) is not dict or len(values) > MOST_TAGS or [1 for name in values if len(name) > LONGEST_TAG_NAME]:
        return False
    return not [one for one in values.values() if type(one) is not str or len(one) > LONGEST_TAG]


def is_response(record: Any) -> bool:
    """Whether this is a record of the Responses API.

    `object` is "response", or there is an `output` and there are no `choices`; of a failure the request tells.
    """
    response = record.get("response") if isinstance(record, dict) else None
    if not isinstance(response, dict):
        return False
    if response.get("object") == "response" or ("output" in response and "choices" not in response):
        return True
    request = record.get("request")
    asked = isinstance(request, dict) and "messages" not in request and not request.keys().isdisjoint(_NEW_INPUT)
    return is_failure(response) and asked


def is_failure(response: dict[str, Any]) -> bool:
    """Whether the provider answered with an error."""
    return response.get("error") is not None and response.get("object") != "response" and not response.get("choices")
