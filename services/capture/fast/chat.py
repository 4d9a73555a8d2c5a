"""Recognise a record that plainly is an answered chat completion, without pydantic.

The checks are exact on types (`type(x) is str`, no subclasses, no conversions), because what JSON gives has only these.
They are list comprehensions and no `any(...)`, since a generator costs more than the checks in it.
"""

from __future__ import annotations

import re
from typing import Any

from capture.records import ALIAS, COUNTS, LATENCY_END, LONGEST_ALIAS, LONGEST_ORIGIN, VERSIONS_END
from completions.completion import (
    LONGEST_ID,
    LONGEST_REASON,
    LONGEST_TAG,
    LONGEST_TAG_NAME,
    MOST_TAGS,
    SECONDS_END,
    TOKENS_END,
)

_ROLES = ("user", "assistant", "system", "tool", "developer", "function")
_FIELDS = frozenset(
    {"request", "response", "metadata", "reference", "created", "latency_ms", "provider", "origin", "alias"}
)
_ALIAS_FIELDS = {"name", "version", "target"}
_ALIAS = re.compile(ALIAS, re.ASCII)


def plain_chat(record: Any) -> dict[str, Any] | None:
    """The fields of `Completion.of` in a record that plainly is an answered chat completion.

    None for every other record, sound or not: `shapes.as_chat` reads or refuses those.
    """
    request = record.get("request") if type(record) is dict else None
    response = record.get("response") if type(record) is dict else None
    if type(request) is not dict or type(response) is not dict or response.get("object") == "response":
        return None
    is_plain = (
        _are_messages(request.get("messages"))
        and _are_choices(response.get("choices"))
        and request.get("model") is not None
        and _are_absent_or_names(request["model"], response.get("id"), response.get("model"))
        and _is_usage(response.get("usage"))
        and _are_absent_or_below(SECONDS_END, record.get("created"), response.get("created"))
        and _are_absent_or_below(LATENCY_END, record.get("latency_ms"))
        and _are_tags(request.get("metadata"))
        and _are_tags(record.get("metadata"))
        and _is_provenance(record.get("provider"), record.get("origin"))
        and _is_alias(record.get("alias"))
        and record.keys() <= _FIELDS
    )
    return record if is_plain else None


def _are_messages(values: Any) -> bool:
    if type(values) is not list or not values:
        return False
    return not [1 for message in values if type(message) is not dict or message.get("role") not in _ROLES]


def _are_choices(values: Any) -> bool:
    if type(values) is not list:
        return False
    if not _are_messages([choice.get("message") if type(choice) is dict else None for choice in values]):
        return False
    return not [1 for choice in values if not _is_absent_or_short(choice.get("finish_reason"), LONGEST_REASON)]


def _are_absent_or_names(*values: Any) -> bool:
    return not [1 for name in values if name == "" or not _is_absent_or_short(name, LONGEST_ID)]


def _is_absent_or_short(text: Any, longest: int) -> bool:
    """Whether a text is absent, or plainly short enough: the bounds are in bytes, as which only ASCII is counted."""
    return text is None or (type(text) is str and len(text) <= longest and text.isascii())


def _is_usage(usage: Any) -> bool:
    """Whether the counts that are read of a usage are sound, or absent."""
    if usage is None:
        return True
    if type(usage) is not dict:
        return False
    details = usage.get("prompt_tokens_details")
    if details is not None and type(details) is not dict:
        return False
    cached = details.get("cached_tokens") if details else None
    return _are_absent_or_below(TOKENS_END, cached, *[usage.get(name) for name in COUNTS])


def _are_absent_or_below(end: int, *values: Any) -> bool:
    return not [1 for count in values if count is not None and not (type(count) is int and 0 <= count < end)]


def _are_tags(metadata: Any) -> bool:
    if metadata is None:
        return True
    if type(metadata) is not dict or len(metadata) > MOST_TAGS:
        return False
    return not [
        1
        for name, value in metadata.items()
        if len(name) > LONGEST_TAG_NAME or type(value) is not str or len(value) > LONGEST_TAG
    ]


def _is_provenance(provider: Any, origin: Any) -> bool:
    """Whether the names of the provider and of the system that the record was imported from are sound, or absent."""
    return (provider is None or type(provider) is str) and (
        origin is None or (type(origin) is str and len(origin) <= LONGEST_ORIGIN)
    )


def _is_alias(alias: Any) -> bool:
    """Whether the alias that a call was made by is sound, or absent."""
    if alias is None:
        return True
    if type(alias) is not dict or alias.keys() != _ALIAS_FIELDS:
        return False
    name, version, target = alias["name"], alias["version"], alias["target"]
    return (
        type(name) is str
        and len(name) <= LONGEST_ALIAS
        and _ALIAS.fullmatch(name) is not None
        and (type(version) is int and 0 < version < VERSIONS_END)
        and (bool(target) and _is_absent_or_short(target, LONGEST_ID))
    )
