"""The filter of the completions as a form has it, and as the API takes it.

In: the fields of a form, in the page's query. Out: the query of the API's list, or the `source` of a run or of a
distillation. Days are UTC, from the first second of one to the last second of the other; a time of day may follow, as a
saved filter has it. Raises ApiError naming the field of a form that cannot be read.
"""

from __future__ import annotations

import re
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
    "min_cost_usd",
    "max_cost_usd",
    "model_not",
    "finish_reason_not",
    "has_tools",
    "origin",
)
_WHOLE = frozenset({"min_tokens", "max_tokens", "min_latency_ms", "max_latency_ms"})
_DOLLARS = frozenset({"min_cost_usd", "max_cost_usd"})
_AMOUNT = re.compile(r"\d{1,9}(\.\d{0,12})?|\.\d{1,12}", re.ASCII)
_EITHER = frozenset({"has_error", "has_tools"})
_LONGEST_NUMBER = 12
_A_DAY = 86_400
FIELDS = (*_SAME, "tags", "tags_not", "since", "until")
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
    tags = {name: conditions.pop(name, {}) for name in ("metadata", "metadata_not")}
    texts = {name: _text(value) for name, value in conditions.items()}
    del texts["type"]
    return texts | {f"{name}[{key}]": value for name, pairs in tags.items() for key, value in pairs.items()}


def source_of(fields: Mapping[str, str]) -> dict[str, Any]:
    """The filter as a source of rows, as POST /v1/distillations and runs take it."""
    source: dict[str, Any] = {"type": "stored_completions"}
    source |= {name: _value(name, fields[name]) for name in _SAME if fields.get(name)}
    if fields.get("tags"):
        source["metadata"] = tags_of(fields["tags"])
    if fields.get("tags_not"):
        source["metadata_not"] = tags_of(fields["tags_not"], "tags_not")
    if fields.get("since"):
        source["created_after"] = _moment("since", fields["since"], 0)
    if fields.get("until"):
        source["created_before"] = _moment("until", fields["until"], _A_DAY - 1)
    return source


def form_of(conditions: Mapping[str, Any]) -> dict[str, str] | None:
    """The fields of the form for the conditions of a saved filter; None where the form cannot say them."""
    fields = {name: _text(value) for name, value in conditions.items() if name in _SAME}
    for name, field in (("metadata", "tags"), ("metadata_not", "tags_not")):
        if conditions.get(name):
            fields[field] = ", ".join(f"{key}={value}" for key, value in conditions[name].items())
    for name, field, of_the_day in (("created_after", "since", 0), ("created_before", "until", _A_DAY - 1)):
        if name in conditions:
            fields[field] = _written(conditions[name], of_the_day)
    try:
        source = source_of(fields)
    except ApiError:
        return None
    return fields if source == {"type": "stored_completions", **conditions} else None


def rows_source(form: Mapping[str, str]) -> dict[str, Any]:
    """The data source of a run: the completions of a form's filter, answered anew by a model where one is named."""
    source = source_of(form)
    if form.get("sampled_model"):
        return {"type": "completions", "source": source, "model": form["sampled_model"]}
    return {"type": "completions", "source": source}


def tags_of(text: str, param: str = "tags") -> dict[str, str]:
    """The tags of `feature=triage, team=mail`."""
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    if any(not name.strip() or not equals for name, equals, _ in pairs):
        raise ApiError("Write tags as name=value, separated by commas.", code="invalid_value", param=param)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _value(name: str, text: str) -> str | float | bool:
    if name in _EITHER:
        return text == "true"
    if name in _DOLLARS:
        return _dollars(name, text)
    if name not in _WHOLE:
        return text
    if not text.isdecimal() or len(text) > _LONGEST_NUMBER:
        raise ApiError(f"'{name}' takes a whole number.", code="invalid_value", param=name)
    return int(text)


def _dollars(name: str, text: str) -> float:
    if not _AMOUNT.fullmatch(text):
        raise ApiError(f"'{name}' takes US dollars, such as 0.002.", code="invalid_value", param=name)
    return float(text)


def _text(value: Any) -> str:
    """A condition as the text of a form or a query; never as 2e-05."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.12f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _moment(name: str, text: str, of_the_day: int) -> int:
    """The second that a day, or a time of a day, means: of a day the one with this number."""
    for form, later in (("%Y-%m-%d", of_the_day), ("%Y-%m-%dT%H:%M:%S", 0), ("%Y-%m-%dT%H:%M", 0)):
        try:
            return int(datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()) + later
        except ValueError:
            continue
    raise ApiError(f"'{name}' takes a day, such as 2026-11-29.", code="invalid_value", param=name)


def _written(seconds: int, of_the_day: int) -> str:
    """The inverse of `_moment`; empty for a time that no form can say."""
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return ""
    return f"{moment:%Y-%m-%d}" if seconds % _A_DAY == of_the_day else f"{moment:%Y-%m-%dT%H:%M:%S}"
