"""The OpenAPI 3.1 document of every route, written from what the routes declare.

In: the routes of every function, and examples by `METHOD /path`. Out: the document. A route without a docstring, or
whose answer nothing describes, is an error.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_type_hints

from pydantic import BaseModel

from foundation.http import body_parameter
from foundation.routes import Query, Route
from local.reference.shapes import parts_of, schemas_of

JSON = "application/json"
_BY_LINK = 303
LINKED = {
    "description": "The answer is larger than the 6 MB that Lambda lets through: its JSON is at the link, as it would "
    "have come. OpenAI's SDK follows it.",
    "headers": {
        "location": {
            "description": "A link to the answer. It needs no key and ends after 15 minutes.",
            "schema": {"type": "string"},
        }
    },
}
ERRORS = {
    400: "The request is not valid: `code` says why, `param` names the field or the parameter.",
    401: "No valid API key was given.",
    403: "The key lacks the scope of this route.",
    404: "Nothing has this id.",
    409: "The object is not in a state that allows this, or the `Idempotency-Key` came with another body. Do not send "
    "the request again unchanged.",
    413: "The body, or what the request reads, is larger than the limit that the message names.",
    500: "The server had an error that nobody planned. Its log has the `x-request-id` of the answer.",
    503: "The service, or what it stands on, is busy. Send the request again after `retry-after` seconds.",
}
_MISSING_KEY, _LACKS_SCOPE, _WRONG, _UNKNOWN, _CONFLICT = 401, 403, 400, 404, 409
_TOO_LARGE, _UNPLANNED, _BUSY = 413, 500, 503
# Those that create: what they make may have been asked for with the same `Idempotency-Key` before.
_MAKES = frozenset({"write", "admin"})
# What is captured and what the gateway answers is never given by a link.
_MAY_BE_LARGE = frozenset({"read", "write", "admin"})
_ERROR = {
    "type": "object",
    "description": "What was refused or failed, in OpenAI's shape.",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string", "description": "What is wrong, and what to do."},
                "type": {"type": "string", "examples": ["invalid_request_error", "server_error"]},
                "param": {"type": ["string", "null"], "description": "The field or parameter that is wrong."},
                "code": {"type": ["string", "null"], "description": "A name of the error for programs."},
            },
        }
    },
}


def document(routes: Iterable[Route], examples: Mapping[str, Any]) -> dict[str, Any]:
    """The whole document. `examples` has `request` and `answer` by `METHOD /path`, paths without `/v1`."""
    ordered = sorted(routes, key=lambda route: (path_of(route), route.method))
    schemas, definitions = schemas_of(kind for route in ordered for kind in _wanted(route))
    paths: dict[str, Any] = {}
    for route in ordered:
        example = examples.get(f"{route.method} {path_of(route)}", {})
        paths.setdefault(path_of(route), {})[route.method.lower()] = _operation(route, schemas, example)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Stillhouse",
            "version": "1",
            "description": "Model distillation in your own AWS account, with OpenAI's API.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/v1"}],
        "tags": [{"name": name} for name in dict.fromkeys(sorted(route.resource for route in ordered))],
        "paths": paths,
        "components": {
            "schemas": {"Error": _ERROR, **dict(sorted(definitions.items()))},
            "responses": {
                str(_BY_LINK): LINKED,
                **{str(status): _refusal(reason) for status, reason in ERRORS.items()},
            },
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key of this stack, `sk-sh-…`. A route names the scope that the key must have.",
                }
            },
        },
    }


def path_of(route: Route) -> str:
    """The path as OpenAPI writes it, below the server's `/v1`."""
    path = route.path.removeprefix("/v1").replace(":path>", ">")
    return path.replace("<", "{").replace(">", "}")


def _operation(route: Route, schemas: Mapping[Any, Any], example: Mapping[str, Any]) -> dict[str, Any]:
    text = inspect.getdoc(route.serve)
    if not text:
        raise ValueError(f"{route.method} {route.path}: the function has no docstring")
    summary, _, more = text.partition("\n")
    operation: dict[str, Any] = {
        "operationId": route.serve.__name__ if not route.described.get("alias") else f"{route.serve.__name__}_alias",
        "summary": summary.rstrip("."),
        "tags": [route.resource],
        "security": [{"key": [scope]} for scope in route.scopes],
        "parameters": [*_path_parameters(route), *map(_query_parameter, route.described.get("query", ()))],
        "responses": dict(_responses(route, schemas, example)),
    }
    if more.strip():
        operation["description"] = inspect.cleandoc(more).replace("\n", " ").strip()
    if body := _body(route):
        media = route.described.get("takes", JSON)
        content = {"schema": _together(body, schemas)}
        if "request" in example:
            content["example"] = example["request"]
        operation["requestBody"] = {"required": True, "content": {media: content}}
    return {name: value for name, value in operation.items() if value != [] or name == "security"}


def _path_parameters(route: Route) -> Iterator[dict[str, Any]]:
    for name in route.parameters:
        about = f"The {name.removesuffix('_id').replace('_', ' ')}'s id." if name.endswith("_id") else "A name."
        yield {"name": name, "in": "path", "required": True, "description": about, "schema": {"type": "string"}}


def _query_parameter(query: Query) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": query.name,
        "in": "query",
        "description": query.about,
        "schema": dict(query.schema),
    }
    if query.schema.get("type") == "object":
        described |= {"style": "deepObject", "explode": True}
    return described | ({"required": True} if query.required else {})


def _responses(route: Route, schemas: Mapping[Any, Any], example: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    success: dict[str, Any] = {"description": "Done."}
    media, schema = route.described.get("media", JSON), _answer_schema(route, schemas)
    if schema is not None:
        success["content"] = {media: {"schema": schema}}
        if "answer" in example:
            success["content"][media]["example"] = example["answer"]
    if "headers" in route.described:
        success["headers"] = {
            name: {"description": about, "schema": {"type": "string"}}
            for name, about in route.described["headers"].items()
        }
    yield str(route.status), success
    if schema is not None and media == JSON and route.scope in _MAY_BE_LARGE:
        yield str(_BY_LINK), {"$ref": f"#/components/responses/{_BY_LINK}"}
    reasons = route.described.get("errors", {})
    for status in sorted({*_usual_errors(route), *reasons}):
        known = {"$ref": f"#/components/responses/{status}"}
        yield str(status), _refusal(reasons[status]) if status in reasons else known


def _usual_errors(route: Route) -> Iterator[int]:
    # An unknown parameter or field is refused by every route.
    yield from (_WRONG, _UNPLANNED, _BUSY)
    if route.scope is not None:
        yield from (_MISSING_KEY, _LACKS_SCOPE)
    if route.parameters:
        yield _UNKNOWN
    if _body(route):
        yield _TOO_LARGE
    if _body(route) and route.method == "POST" and route.scope in _MAKES:
        yield _CONFLICT


def _refusal(reason: str) -> dict[str, Any]:
    return {"description": reason, "content": {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}}


def _body(route: Route) -> list[Any]:
    declared = route.described.get("body")
    return parts_of(declared) if declared is not None else list(body_parameter(route.serve).values())


def _answer(route: Route) -> list[Any]:
    declared = route.described.get("answer", route.described.get("lists"))
    if declared is not None:
        return parts_of(declared)
    returned = get_type_hints(route.serve).get("return")
    return [returned] if isinstance(returned, type) and issubclass(returned, BaseModel) else []


def _answer_schema(route: Route, schemas: Mapping[Any, Any]) -> Any:
    parts = _answer(route)
    if not parts:
        return {"type": "string"} if "media" in route.described else None
    item = _together(parts, schemas)
    return _page(item) if "lists" in route.described else item


def _page(item: Any) -> dict[str, Any]:
    some_id = {"type": ["string", "null"]}
    return {
        "type": "object",
        "required": ["object", "data"],
        "properties": {
            "object": {"const": "list"},
            "data": {"type": "array", "items": item},
            "first_id": {**some_id, "description": "The first item's id; null on an empty page."},
            "last_id": {**some_id, "description": "The `after` of the next page; null on an empty page."},
            "has_more": {"type": "boolean", "description": "Whether there is a next page."},
        },
    }


def _together(parts: list[Any], schemas: Mapping[Any, Any]) -> Any:
    described = [schemas[part] for part in parts]
    return described[0] if len(described) == 1 else {"allOf": described}


def _wanted(route: Route) -> list[Any]:
    return [*_body(route), *_answer(route)]
