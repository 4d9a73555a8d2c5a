"""Routes with Powertools on top of `edge`.

In: an event. Out: the answer of its route, always with the header `x-request-id`; failures are answered as `edge` does.
`body_of` validates a JSON body and names its wrong fields in a 400. A ValidationError from anywhere else is a bug: 500.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

import orjson
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from pydantic import BaseModel, ValidationError

from foundation import edge, keys, links
from foundation.errors import ApiError
from foundation.field_errors import field_error
from foundation.foreign_json import is_deeper
from foundation.parameters import refuse_unknown, unknown_name
from foundation.records import Record
from foundation.routes import Route, Routes, methods_at

MAX_BODY = edge.MAX_BODY
MOST_OF_ITEMS = edge.MAX_ANSWER - 16 * 1024
"""The bytes that the items of a page have together, as they are serialized."""
_BY_REFERENCE = f"This route takes no compressed body. {edge.SMALLER}; rows go up as a file (POST /v1/files/presigned)."
_LONGEST_STEP = 64
_ANY_PATH = r"[\s\S]+"
_MOST_LEVELS = 100
_REDIRECTS = 300
_SEE_OTHER = 303


def resolver(modules: Iterable[Routes]) -> APIGatewayHttpResolver:
    """An app with these routes. Each asks a request for a key with the scope that it declares."""
    app = APIGatewayHttpResolver()
    served = [(route, _served(app, routes, route)) for routes in modules for route in routes.declared]
    # A path without parameters goes before one that takes it for an id.
    served.sort(key=lambda of: len(of[0].parameters))

    def serve() -> Response[Any]:
        event = app.current_event
        for route, answered in served:
            parameters = route.match(event.path) if route.method == event.http_method else None
            if parameters is not None:
                return answered(**parameters)
        return unknown()

    def unknown(_: Exception | None = None) -> Response[Any]:
        event = app.current_event
        methods = methods_at((route for route, _ in served), event.path)
        return _failed(edge.unknown_url(event.http_method, event.path, methods))

    # Powertools knows only some letters in a path, and does not decode them: it leaves the matching to the routes.
    app.route(_ANY_PATH, sorted({route.method for route, _ in served}))(serve)
    app.exception_handler(Exception)(_failed)
    app.not_found(unknown)
    return app


def _served(app: APIGatewayHttpResolver, routes: Routes, route: Route) -> Callable[..., Response[Any]]:
    """The function that serves a route: it checks the key, calls the route's function and sets the status."""

    def serve(**parameters: Any) -> Response[Any]:
        # A module may be served by several apps: its function must see the request of this one.
        routes.app = app
        event = app.current_event
        if route.scopes:
            app.append_context(key=keys.check(keys.given(event.headers), *route.scopes))
        refuse_unknown(route, event.query_string_parameters or {})
        if route.method == "POST" and not _takes_body(route):
            for name in json_of(app):
                raise unknown_name(name, [])
        for name, model in body_parameter(route.serve).items():
            parameters[name] = body_of(app, model)
        answered = route.serve(**parameters)
        return answered if isinstance(answered, Response) else answer(answered, route.status)

    return serve


def _takes_body(route: Route) -> bool:
    return "body" in route.described or bool(body_parameter(route.serve))


@cache
def body_parameter(serve: Callable[..., Any]) -> dict[str, Any]:
    """The parameter that takes the request's body, whose annotation names a pydantic model; empty without one."""
    known = serve.__globals__
    named = {name: known.get(kind) for name, kind in serve.__annotations__.items() if name != "return"}
    return {name: kind for name, kind in named.items() if isinstance(kind, type) and issubclass(kind, BaseModel)}


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response[Any]:
    """A JSON answer; models in it are dumped. One that is larger than Lambda lets through comes by a link."""
    raw = _written(body)
    if status < _REDIRECTS and edge.serialized(raw) > edge.MAX_ANSWER:
        location = {"location": links.to_copy(raw, content_type=edge.JSON)}
        return Response(_SEE_OTHER, edge.JSON, "", headers=location)
    return Response(status, edge.JSON, raw.decode(), headers=dict(headers or {}))


def _written(body: Any) -> bytes:
    return orjson.dumps(body, default=_dumped)


def _dumped(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} is no JSON")


def serve(app: APIGatewayHttpResolver, event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Resolve one event of the HTTP API or of a function URL."""
    answered = app.resolve(event, context)
    answered["headers"] = {**answered.get("headers", {}), "x-request-id": context.aws_request_id}
    return answered


def raw_body(app: Any) -> bytes:
    """The body's bytes. Raises TooLarge over 4 MB on the wire, and ApiError where they are compressed."""
    event = app.current_event
    packing = (event.headers.get("content-encoding") or "identity").strip().lower()
    if packing != "identity":
        raise ApiError(
            "Only POST /v1/captures takes a compressed body: send this one without Content-Encoding.",
            code="unsupported_encoding",
            param="Content-Encoding",
        )
    return edge.body_of(event.body, encoded=event.is_base64_encoded, remedy=_BY_REFERENCE)


def json_of(app: Any) -> dict[str, Any]:
    """The JSON object in the body."""
    try:
        document = orjson.loads(raw_body(app) or b"{}")
    except orjson.JSONDecodeError as error:
        raise ApiError(f"The body is not valid JSON: {error}.", code="invalid_json") from error
    if not isinstance(document, dict):
        raise ApiError("The body must be a JSON object.", code="invalid_type")
    for name, value in document.items():
        if is_deeper(value, _MOST_LEVELS + 1):
            raise ApiError(
                f"Invalid '{name[:_LONGEST_STEP]}': it is nested deeper than {_MOST_LEVELS} levels.",
                code="nested_too_deeply",
                param=name[:_LONGEST_STEP],
            )
    return document


def body_of[Model: BaseModel](app: Any, model: type[Model]) -> Model:
    """The body as a model. Pydantic's error becomes a 400 that names the fields."""
    document = json_of(app)
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise field_error(error, document, model) from error


def _failed(error: Exception) -> Response[Any]:
    failure = edge.failed(error)
    return answer(failure.body, failure.status, dict(failure.headers))


def query_of(app: Any, name: str) -> str | None:
    """A query parameter, or None."""
    value: str | None = (app.current_event.query_string_parameters or {}).get(name)
    return value


def names_of(app: Any, name: str, *, most: int) -> list[str]:
    """The names, separated by commas, in a query parameter, each once. Raises ApiError where there are too many."""
    text = query_of(app, name) or ""
    names = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if len(names) > most:
        raise ApiError(f"Invalid '{name}': at most {most} keys.", code="invalid_value", param=name)
    return names


def limit_of(app: Any, *, default: int = 20, most: int = 100) -> int:
    """The page size asked for, kept between 1 and `most`. Raises ApiError where it is no number."""
    text = query_of(app, "limit")
    if text is None:
        return default
    try:
        return max(1, min(int(text), most))
    except ValueError as error:
        raise ApiError("Invalid 'limit': a number is expected.", code="invalid_value", param="limit") from error


def cut[Item](
    items: Iterable[Item], limit: int | None, written: Callable[[Item], bytes] = _written
) -> tuple[list[Item], bool]:
    """The first items, at most `limit` and as many as fit into an answer, and whether there are more.

    Items are taken one by one, and one more than is given back. The first is always among them: where it is too large
    by itself, `answer` gives a link to the page. `written` gives the bytes of an item in the answer.
    """
    kept: list[Item] = []
    room = MOST_OF_ITEMS
    for item in items:
        room -= edge.serialized(written(item))
        if kept and (len(kept) == limit or room < 0):
            return kept, True
        kept.append(item)
    return kept, False


def listed(items: Iterable[Any], limit: int) -> dict[str, Any]:
    """A page in OpenAI's cursor style: at most `limit` of these objects with an `id`, and as many as fit."""
    data, has_more = cut(items, limit)
    return page(data, has_more=has_more)


def page(data: Sequence[Any], *, has_more: bool) -> dict[str, Any]:
    """A page of these objects, which `cut` has left."""
    return {
        "object": "list",
        "data": data,
        "first_id": _id_of(data[0]) if data else None,
        "last_id": _id_of(data[-1]) if data else None,
        "has_more": has_more,
    }


def page_of(app: Any, items: Sequence[Any], shown: Callable[[Any], Any] = lambda item: item) -> dict[str, Any]:
    """The page that the query asks for by `after` and `limit`, of a list that is in memory as a whole."""
    after = query_of(app, "after")
    ids = [_id_of(item) for item in items]
    if after is not None:
        items = items[ids.index(after) + 1 :] if after in ids else []
    return listed(map(shown, items), limit_of(app))


def _id_of(item: Any) -> Any:
    return item["id"] if isinstance(item, dict) else item.id


def list_of[Kind: Record](
    app: Any, kind: type[Kind], shown: Callable[[Kind], Any], *, parent: str = "", order: str = "asc"
) -> dict[str, Any]:
    """The page of a list that the query asks for by `after`, `limit` and `order` (default `order`)."""
    limit = limit_of(app)
    records = kind.page(
        parent=parent,
        after=query_of(app, "after"),
        limit=limit + 1,
        descending=descending(app, default=order),
    )
    return listed((shown(record) for record in records.data), limit)


def descending(app: Any, *, default: str = "asc") -> bool:
    """Whether `order` asks for the newest first. Raises ApiError where it is neither asc nor desc."""
    order = query_of(app, "order") or default
    if order not in {"asc", "desc"}:
        raise ApiError("Invalid 'order': use asc or desc.", code="invalid_value", param="order")
    return order == "desc"
