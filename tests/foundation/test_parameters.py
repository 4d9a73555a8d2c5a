"""A query parameter that a route has not declared is refused, with the name that was probably meant."""

from __future__ import annotations

import pytest

from foundation.errors import ApiError
from foundation.parameters import refuse_unknown, remedy, unknown_name
from foundation.routes import Query, Route, Routes

routes = Routes("Shelves")


@routes.get(
    "/v1/shelves",
    scope="read",
    query=(Query("model", "A model."), Query("after", "An id."), Query("metadata", "Tags.", {"type": "object"})),
)
def list_shelves() -> None: ...


@routes.get("/v1/shelves/<shelf_id>", scope="read")
def retrieve_shelf() -> None: ...


@pytest.fixture
def route() -> Route:
    return routes.declared[0]


@pytest.mark.parametrize("names", [[], ["model"], ["metadata[team]", "after"], ["metadata[]"]])
def test_declared_names_are_taken(route: Route, names: list[str]) -> None:
    refuse_unknown(route, names)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("modell", "Did you mean 'model'?"),
        ("metdata[team]", "Did you mean 'metadata[team]'?"),
        ("metadata.team", "Did you mean 'metadata[team]'?"),
        ("metadata", "Did you mean 'metadata[key]'?"),
        ("colour", "Known are: model, after, metadata[key]."),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(route: Route, name: str, meant: str) -> None:
    with pytest.raises(ApiError) as refused:
        refuse_unknown(route, ["model", name])
    assert refused.value.message == f"Unknown parameter: '{name}'. {meant}"
    assert (refused.value.status, refused.value.code, refused.value.param) == (400, "unknown_parameter", name)


def test_the_first_unknown_name_is_the_one_that_is_refused(route: Route) -> None:
    with pytest.raises(ApiError) as refused:
        refuse_unknown(route, ["one", "two"])
    assert refused.value.param == "one"


def test_a_route_without_parameters_says_so() -> None:
    with pytest.raises(ApiError, match="There are none here"):
        refuse_unknown(routes.declared[1], ["model"])


def test_a_long_name_is_shown_in_part() -> None:
    param = unknown_name("x" * 10_000, ["model"], within="source").param
    assert param is not None
    assert len(param) <= len("source") + 64
    assert param.startswith("source.x")


def test_without_a_near_name_all_are_listed() -> None:
    assert remedy("zzz", ["model", "after"]) == "Known are: model, after."
