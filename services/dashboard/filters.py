"""The filter of the completions as a form has it, and as the API takes it.

In: the fields of a form, in the page's query. Out: the query of the API's list, or the `source` of a run or of a
distillation. Days are UTC, from the first second of one to the last second of the other. Raises ApiError naming the
field of a form that cannot be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dashboard.visit import Visit
from foundation.errors import ApiError

_SAME = (
    "model",
    "text",
    "finish_reason",
    "alias",
    "has_error",
    "min_tokens",
    "max_tokens",
    "min_latency_ms",
    "max_latency_ms",
)
_WHOLE = frozenset({"min_tokens", "max_tokens", "min_latency_ms", "max_latency_ms"})
_LONGEST_NUMBER = 12
FIELDS = (*_SAME, "tags", "since", "until")
"""The fields of the form."""


def kept(visit: Visit) -> dict[str, str]:
    """The filter of a page, for the links that lead on from it."""
    return fields_of(visit.query)


def fields_of(fields: Mapping[str, str]) -> dict[str, str]:
    """The fields of a filter among others."""
    return {name: value for name, value in fields.items() if name in FIELDS}


def query_of(fields: Mapping[str, str]) -> dict[str, str]:
    """The filter as a query of the API."""
    conditions = source_of(fields)
    tags = conditions.pop("metadata", {})
    texts = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in conditions.items()}
    del texts["type"]
    return texts | {f"metadata[{name}]": value for name, value in tags.items()}


def source_of(fields: Mapping[str, str]) -> dict[str, Any]:
    """The filter as a source of rows, as POST /v1/distillations and runs take it."""
    source: dict[str, Any] = {"type": "stored_completions"}
    source |= {name: _value(name, fields[name]) for name in _SAME if fields.get(name)}
    if fields.get("tags"):
        source["metadata"] = tags_of(fields["tags"])
    if fields.get("since"):
        source["created_after"] = _midnight("since", fields["since"])
    if fields.get("until"):
        source["created_before"] = _midnight("until", fields["until"]) + 86_399
    return source


def rows_source(form: Mapping[str, str]) -> dict[str, Any]:
    """The data source of a run: the completions of a form's filter, answered anew by a model where one is named."""
    source = source_of(form)
    if form.get("sampled_model"):
        return {"type": "completions", "source": source, "model": form["sampled_model"]}
    return {"type": "completions", "source": source}


def tags_of(text: str) -> dict[str, str]:
    """The tags of `feature=triage, team=mail`."""
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    if any(not name.strip() or not equals for name, equals, _ in pairs):
        raise ApiError("Write tags as name=value, separated by commas.", code="invalid_value", param="tags")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _value(name: str, text: str) -> str | int | bool:
    if name == "has_error":
        return text == "true"
    if name not in _WHOLE:
        return text
    if not text.isdecimal() or len(text) > _LONGEST_NUMBER:
        raise ApiError(f"'{name}' takes a whole number.", code="invalid_value", param=name)
    return int(text)


def _midnight(name: str, text: str) -> int:
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise ApiError(f"'{name}' takes a day, such as 2026-11-29.", code="invalid_value", param=name) from None
    return int(day.timestamp())
