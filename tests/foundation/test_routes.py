"""Routes match paths as they were sent, and are declared with what the API's description says."""

from __future__ import annotations

import pytest

from foundation.routes import Route, Routes, methods_at

routes = Routes("Shelves")


@routes.get("/v1/shelves", scope="read")
def list_shelves() -> None: ...


@routes.post("/v1/shelves", scope="write", status=201)
def create_shelf() -> None: ...


@routes.get("/v1/shelves/<shelf_id>/books/<book_id>", scope="read")
def retrieve_book() -> None: ...


@routes.delete("/v1/models/<model:path>", scope="write")
def delete_model() -> None: ...


@routes.get("/v1/openapi.json", scope=None)
def describe() -> None: ...


def _route(name: str) -> Route:
    return next(route for route in routes.declared if route.serve.__name__ == name)


@pytest.mark.parametrize(
    ("name", "path", "parameters"),
    [
        ("list_shelves", "/v1/shelves", {}),
        ("retrieve_book", "/v1/shelves/s1/books/b2", {"shelf_id": "s1", "book_id": "b2"}),
        ("retrieve_book", "/v1/shelves/a%2Fb/books/c%25d", {"shelf_id": "a/b", "book_id": "c%d"}),
        ("retrieve_book", "/v1/shelves/a\nb/books/%F0%9F%98%80", {"shelf_id": "a\nb", "book_id": "😀"}),
        ("delete_model", "/v1/models/openai/gpt-x", {"model": "openai/gpt-x"}),
        ("describe", "/v1/openapi.json", {}),
    ],
)
def test_a_path_gives_its_decoded_parameters(name: str, path: str, parameters: dict[str, str]) -> None:
    assert _route(name).match(path) == parameters


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("list_shelves", "/v1/shelves/"),
        ("list_shelves", "/v1/shelves/s1"),
        ("retrieve_book", "/v1/shelves/s1/books/"),
        ("retrieve_book", "/v1/shelves/s1/books/b2/pages"),
        ("describe", "/v1/openapi-json"),
    ],
)
def test_another_path_does_not_match(name: str, path: str) -> None:
    assert _route(name).match(path) is None


def test_a_route_knows_its_parameters_and_the_one_that_takes_the_rest() -> None:
    assert _route("retrieve_book").parameters == ["shelf_id", "book_id"]
    assert _route("retrieve_book").tail is None
    assert _route("delete_model").tail == "model"


def test_a_declaration_has_method_scope_resource_and_status() -> None:
    created = _route("create_shelf")
    assert (created.method, created.scope, created.resource, created.status) == ("POST", "write", "Shelves", 201)
    assert _route("list_shelves").status == 200
    assert _route("describe").scope is None


def test_the_methods_of_a_path_are_those_of_its_routes() -> None:
    assert methods_at(routes.declared, "/v1/shelves") == ["GET", "POST"]
    assert methods_at(routes.declared, "/v1/nothing") == []
