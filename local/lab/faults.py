"""Make requests fail on demand, to test callers whose provider fails.

In: `{"path", "status": 429 | 500, "times", "method"?, "when"?}`; `path` is a pattern (`/fine_tuning/jobs/*`)
of a path under `/v1`. Out: the next `times` such requests get that error: `before` anything happened (the
default), or `after` the work was done and only its answer is lost.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.lab.wire import ApiError, JsonResponse, error_response, read_body


class Fault(BaseModel):
    """A fault that is still to happen `times` times."""

    path: str
    status: Literal[429, 500]
    times: Annotated[int, Field(ge=1)] = 1
    method: str = "POST"
    when: Literal["before", "after"] = "before"


@dataclass
class Faults:
    """The ordered faults."""

    ordered: list[Fault]

    async def order(self, request: Request) -> Response:
        fault = await read_body(request, Fault)
        self.ordered.append(fault)
        return JsonResponse({"object": "lab.fault", **fault.model_dump()})

    def take(self, method: str, path: str) -> Fault | None:
        for fault in self.ordered:
            if fault.times and fault.method == method and fnmatchcase(path, fault.path):
                fault.times -= 1
                return fault
        return None


class FaultsMiddleware:
    """Answers requests with the ordered faults."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = None
        if scope["type"] == "http" and scope["path"].startswith("/v1/"):
            fault = self._faults.take(scope["method"], scope["path"].removeprefix("/v1"))
        if fault is None:
            await self._app(scope, receive, send)
            return
        if fault.when == "after":
            await self._app(scope, receive, _lost)
        kind = "rate_limit_error" if fault.status == 429 else "server_error"  # noqa: PLR2004 - an HTTP status
        error = ApiError(fault.status, "A fault ordered by a test.", code="ordered_fault", kind=kind)
        await error_response(error)(scope, receive, send)


async def _lost(_: Message) -> None:
    """Discard a part of an answer."""
