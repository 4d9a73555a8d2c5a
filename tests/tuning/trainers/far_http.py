"""A far side that answers HTTP: routes by pattern, each request held against its shape."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import httpx2

from tests.tuning.trainers.far_side import FarSide
from tests.tuning.trainers.shapes import Shape, hold

type Answer = tuple[int, Any]
type Route = Callable[..., Answer]

STORAGE = "storage.example"
"""The host of the storage that files are put into, which is no part of a trainer's API."""


class Exchange(NamedTuple):
    """A request of a trainer's API, and its answer."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    status: int
    answer: Any


@dataclass
class FarHTTP(FarSide):
    """Its routes are `METHOD path`, as patterns; `shapes` has those of the requests with a JSON body or a query."""

    lost: Exception = field(default_factory=lambda: httpx2.ReadTimeout("no answer"))
    refusing: bool = False
    asked: list[tuple[str, Any]] = field(default_factory=list)
    """Every request that had an effect, as `METHOD path`, and its JSON."""
    exchanges: list[Exchange] = field(default_factory=list)
    """Everything that was answered, but what the storage did."""

    def routes(self) -> dict[str, Route]:
        raise NotImplementedError

    def shapes(self) -> dict[str, Shape]:
        return {}

    def refuses(self) -> bool:
        self.refusing = True
        return True

    def client(self) -> httpx2.Client:
        return httpx2.Client(transport=httpx2.MockTransport(self.serve))

    def serve(self, request: httpx2.Request) -> httpx2.Response:
        request.read()
        status, body = self.call(lambda: self._answer(request))
        headers = body.pop("headers", {}) if isinstance(body, dict) else {}
        if request.url.host != STORAGE:
            told = json.loads(json.dumps(body))  # What is answered may change later.
            sent = form(request) or _json(request)
            self.exchanges.append(
                Exchange(request.method, request.url.path, dict(request.url.params), sent, status, told)
            )
        return httpx2.Response(status, json=body, headers=headers)

    def _answer(self, request: httpx2.Request) -> Answer:
        line = f"{request.method} {request.url.path}"
        document = _json(request)
        for route, answer in self.routes().items():
            matched = re.fullmatch(route, line)
            if matched:
                shape = self.shapes().get(route, Shape({}))
                hold(document or {}, shape, line)
                assert set(request.url.params) <= shape.query, f"{line} asks with {request.url.params}"
                self.asked.append((line, document))
                return answer(request, *matched.groups())
        raise AssertionError(f"no route for {line}")


def _json(request: httpx2.Request) -> Any:
    is_json = request.headers.get("content-type") == "application/json"
    return json.loads(request.content) if is_json and request.content else None


def form(request: httpx2.Request) -> dict[str, str]:
    """The fields of a form without files; none where the request has no form."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return {}
    return dict(re.findall(r'name="(\w+)"\r\n\r\n(.*?)\r\n', request.content.decode()))


def body(request: httpx2.Request) -> Any:
    """The JSON of a request."""
    return json.loads(request.content)
