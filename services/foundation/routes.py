"""Routes as the functions that serve them declare them: method, path, scope, and what the API's description says.

A module of routes has one `Routes` and a decorated function per route. From these declarations a request finds its
function (`edge`, `http`), a key is checked for the scope, and the description of the API is written. Nothing heavy is
imported here: shapes that a cold start must not load are given by their dotted names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, Literal, NamedTuple, TypedDict, Unpack
from urllib.parse import unquote

type Scope = Literal["capture", "infer", "read", "write", "admin"]

# A pydantic model or any other type that pydantic describes, its dotted name, or several that hold together.
type Shape = Any | str | tuple[Any | str, ...]

_PARAMETER = re.compile(r"<(\w+)(:path)?>")


class Query(NamedTuple):
    """A query parameter: its name, what it means, and its JSON schema (text where nothing else is given)."""

    name: str
    about: str
    schema: Mapping[str, Any] = {"type": "string"}
    required: bool = False


AFTER = Query("after", "The id after which the page begins: the `last_id` of the page before.")
ORDER = Query("order", "Oldest or newest first.", {"type": "string", "enum": ["asc", "desc"]})
LIMIT = Query("limit", "How many items a page has: 1 to 100, 20 if absent.", {"type": "integer", "default": 20})
PAGE = (AFTER, LIMIT, ORDER)


class Described(TypedDict, total=False):
    """What a route may say of itself beside method, path and scope.

    `status` is that of a success (200). `body` is the request's shape where the function has no parameter of it;
    `answer` is the answer's shape where the return type does not say it, `lists` that of the items of a page, `media`
    the answer's media type where it is not JSON, `takes` that of the request, `headers` what the answer's headers
    mean. `errors` has the statuses that this route adds to those of every route, or means otherwise. `alias` is true
    for a second path of the same function. `also` is another scope with which a key is served.
    """

    status: int
    body: Shape
    answer: Shape
    lists: Shape
    media: str
    takes: str
    headers: Mapping[str, str]
    query: tuple[Query, ...]
    errors: Mapping[int, str]
    alias: bool
    also: Scope


class Route:
    """A declared route. `scope` is None where no key is needed."""

    def __init__(
        self,
        method: str,
        path: str,
        serve: Callable[..., Any],
        *,
        resource: str,
        scope: Scope | None,
        described: Described,
    ) -> None:
        self.method = method
        self.path = path
        self.serve = serve
        self.resource = resource
        self.scope = scope
        self.described = described

    @property
    def status(self) -> int:
        """The status of a success."""
        return self.described.get("status", 200)

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """The scopes of which a key needs one; none where no key is needed."""
        also = self.described.get("also")
        return () if self.scope is None else (self.scope, also) if also else (self.scope,)

    @cached_property
    def parameters(self) -> list[str]:
        """The names of the path's parameters."""
        return [name for name, _ in _PARAMETER.findall(self.path)]

    @cached_property
    def tail(self) -> str | None:
        """The parameter that takes the rest of the path, slashes included."""
        return next((name for name, whole in _PARAMETER.findall(self.path) if whole), None)

    def match(self, path: str) -> dict[str, str] | None:
        """The decoded parameters of a path, or None if this route has another path.

        `path` is as it was sent: a slash or percent sign within an id is still encoded.
        """
        match = self._pattern.fullmatch(path)
        return {name: unquote(value) for name, value in match.groupdict().items()} if match else None

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        steps = _PARAMETER.sub(lambda parameter: f"(?P<{parameter[1]}>{'.+' if parameter[2] else '[^/]+'})", self.path)
        return re.compile(steps.replace(".json", r"\.json"), re.DOTALL)


class Routes:
    """The routes of one module. `resource` is the heading under which the reference has them."""

    def __init__(self, resource: str) -> None:
        self.resource = resource
        self.declared: list[Route] = []
        self.app: Any = None

    def get(self, path: str, *, scope: Scope | None, **described: Unpack[Described]) -> Callable[[Any], Any]:
        return self._declare("GET", path, scope, described)

    def post(self, path: str, *, scope: Scope | None, **described: Unpack[Described]) -> Callable[[Any], Any]:
        return self._declare("POST", path, scope, described)

    def put(self, path: str, *, scope: Scope | None, **described: Unpack[Described]) -> Callable[[Any], Any]:
        return self._declare("PUT", path, scope, described)

    def delete(self, path: str, *, scope: Scope | None, **described: Unpack[Described]) -> Callable[[Any], Any]:
        return self._declare("DELETE", path, scope, described)

    def _declare(self, method: str, path: str, scope: Scope | None, described: Described) -> Callable[[Any], Any]:
        def declare[Serve: Callable[..., Any]](serve: Serve) -> Serve:
            route = Route(method, path, serve, resource=self.resource, scope=scope, described=described)
            self.declared.append(route)
            return serve

        return declare

    # What a served request has, where `http` serves it.

    @property
    def current_event(self) -> Any:
        return self.app.current_event

    @property
    def lambda_context(self) -> Any:
        return self.app.lambda_context

    @property
    def context(self) -> dict[str, Any]:
        context: dict[str, Any] = self.app.context
        return context


def methods_at(routes: Iterable[Route], path: str) -> list[str]:
    """The methods that a path takes."""
    return sorted({route.method for route in routes if route.match(path) is not None})
