"""Filters: as a query of lists, exports and the usage, and saved under a name.

In: `model`, `metadata[k]=v` and what else `Filter` knows, or `filter=<id>` of a saved one. Out: the filter; every
condition must hold, and a query may narrow a saved filter. Raises ApiError naming the parameter.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.retried import object_id
from completions.filters import Filter
from completions.saved_filters import SavedFilter
from foundation import http
from foundation.errors import ApiError
from foundation.ids import now
from foundation.routes import Routes

router = Routes("Filters")
_MAPS = ("metadata", "metadata_not")


class _Asked(Filter):
    """A misspelt condition would save a filter that selects everything."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NewFilter(BaseModel):
    """What a saved filter is made of."""

    name: str = Field(min_length=1, max_length=256)
    filter: _Asked


@router.post("/v1/filters", scope="write")
def create_filter(asked: NewFilter) -> dict[str, Any]:
    at = now()
    bounds = {"created_before": asked.filter.created_before if asked.filter.created_before is not None else at}
    fixed = Filter.model_validate({**asked.filter.model_dump(), **bounds})
    saved = SavedFilter(id=object_id(router, "filter_"), created_at=at, name=asked.name, filter=fixed)
    saved.create()
    return SavedFilter.load(saved.id).public()


@router.get("/v1/filters", scope="read")
def list_filters() -> dict[str, Any]:
    return http.list_of(router, SavedFilter, SavedFilter.public)


@router.get("/v1/filters/<filter_id>", scope="read")
def retrieve_filter(filter_id: str) -> dict[str, Any]:
    return SavedFilter.load(filter_id).public()


@router.delete("/v1/filters/<filter_id>", scope="write")
def delete_filter(filter_id: str) -> dict[str, Any]:
    SavedFilter.load(filter_id).remove()
    return {"object": "filter.deleted", "id": filter_id, "deleted": True}


def wanted(app: Any) -> Filter:
    """The filter in the query."""
    asked = _asked(app.current_event.query_string_parameters or {})
    filter_id = http.query_of(app, "filter")
    saved = SavedFilter.load(filter_id, param="filter").filter if filter_id else Filter()
    both = {**saved.model_dump(exclude_defaults=True), **asked}
    try:
        return Filter.model_validate(both)
    except ValidationError as error:
        raise http.field_error(error, both) from error


def _asked(parameters: dict[str, str]) -> dict[str, Any]:
    """What the query says of a filter's fields; others belong to the list that is asked for."""
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
