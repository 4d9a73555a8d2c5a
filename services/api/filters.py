"""Filters: as a query of lists, exports and the usage, and saved under a name.

In: `model`, `metadata[k]=v` and what else `Filter` knows, or `filter=<id>` of a saved one. Out: the filter; every
condition must hold, and a query may narrow a saved filter. Raises ApiError naming the parameter.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field, ValidationError

from api.retried import object_id
from completions.filters import Filter
from completions.saved_filters import SavedFilter, SavedFilterDocument
from foundation import http
from foundation.document import Body, Deleted
from foundation.errors import ApiError
from foundation.field_errors import field_error
from foundation.ids import now
from foundation.routes import PAGE, Query, Routes

router = Routes("Filters")
_MAPS = ("metadata", "metadata_not")
_TEXT = {"type": "string"}
_WHOLE = {"type": "integer"}
_AT_LEAST_0 = {"type": "integer", "minimum": 0}
_DOLLARS = {"type": "number", "minimum": 0}
_EITHER = {"type": "boolean"}
_TAGS = {"type": "object", "additionalProperties": {"type": "string"}}
CONDITIONS = (
    Query("filter", "The id of a saved filter, which the other conditions narrow."),
    Query("model", "The model that was asked, or that answered."),
    Query("model_not", "Another model than this one."),
    Query("metadata", "Tags that a completion has: `metadata[feature]=triage`.", _TAGS),
    Query("metadata_not", "Tags that a completion does not have.", _TAGS),
    Query("created_after", "The earliest time, in seconds UTC.", _WHOLE),
    Query("created_before", "The latest time, in seconds UTC.", _WHOLE),
    Query("finish_reason", "How the answer ended: `stop`, `length`, `tool_calls` …"),
    Query("finish_reason_not", "How the answer did not end."),
    Query("min_tokens", "The least tokens of prompt and answer together.", _AT_LEAST_0),
    Query("max_tokens", "The most tokens of prompt and answer together.", _AT_LEAST_0),
    Query("min_latency_ms", "The least milliseconds that the answer took.", _AT_LEAST_0),
    Query("max_latency_ms", "The most milliseconds that the answer took.", _AT_LEAST_0),
    Query("min_cost_usd", "The least US dollars that its tokens cost by the price list.", _DOLLARS),
    Query("max_cost_usd", "The most US dollars that its tokens cost by the price list.", _DOLLARS),
    Query("has_tools", "Whether the request offered tools.", _EITHER),
    Query("has_error", "Whether the call failed: false if absent.", {**_EITHER, "default": False}),
    Query("origin", "The source that the completion was imported from."),
    Query("alias", "The alias that was asked, or a version of it: `quick-reply`, `quick-reply@3`."),
    Query("text", "Words in a message or an answer, in any case.", {**_TEXT, "minLength": 1, "maxLength": 512}),
)
"""The conditions of `Filter` as query parameters."""
UNKNOWN_FILTER = {404: "There is no such saved filter."}
"""What a route with these conditions may answer besides."""


class NewFilter(Body):
    """A filter to be saved."""

    name: str = Field(min_length=1, max_length=256)
    filter: Filter
    """The conditions. Without `created_before` the filter ends now."""


@router.post("/v1/filters", scope="write")
def create_filter(asked: NewFilter) -> SavedFilterDocument:
    """Save a filter under a name, with a fixed end, so that it selects from the same completions each time."""
    at = now()
    bounds = {"created_before": asked.filter.created_before if asked.filter.created_before is not None else at}
    fixed = Filter.model_validate({**asked.filter.model_dump(), **bounds})
    saved = SavedFilter(id=object_id(router, "filter_"), created_at=at, name=asked.name, filter=fixed)
    saved.create()
    return SavedFilter.load(saved.id).public()


@router.get("/v1/filters", scope="read", lists=SavedFilterDocument, query=PAGE)
def list_filters() -> dict[str, Any]:
    """List saved filters."""
    return http.list_of(router, SavedFilter, SavedFilter.public)


@router.get("/v1/filters/<filter_id>", scope="read")
def retrieve_filter(filter_id: str) -> SavedFilterDocument:
    """Retrieve a saved filter."""
    return SavedFilter.load(filter_id).public()


@router.delete("/v1/filters/<filter_id>", scope="write")
def delete_filter(filter_id: str) -> Deleted:
    """Delete a saved filter; completions stay."""
    SavedFilter.load(filter_id).remove()
    return Deleted(id=filter_id, object="filter.deleted")


def wanted(app: Any) -> Filter:
    """The filter in the query."""
    asked = _asked(app.current_event.query_string_parameters or {})
    filter_id = http.query_of(app, "filter")
    saved = SavedFilter.load(filter_id, param="filter").filter if filter_id else Filter()
    both = {**saved.model_dump(exclude_defaults=True), **asked}
    try:
        return Filter.model_validate(both)
    except ValidationError as error:
        raise field_error(error, both, Filter) from error


def _asked(parameters: dict[str, str]) -> dict[str, Any]:
    """The query's parameters that are fields of a filter; the others belong to the list that is asked for."""
    asked: dict[str, Any] = {name: value for name, value in parameters.items() if name in Filter.model_fields}
    for name in _MAPS:
        asked.pop(name, None)
        pairs = {
            key.removeprefix(f"{name}[").removesuffix("]"): value
            for key, value in parameters.items()
            if key.startswith(f"{name}[")
        }
        if "" in pairs:
            raise ApiError(f"Invalid '{name}': a key is empty.", code="invalid_value", param=name)
        if pairs:
            asked[name] = pairs
    return asked
