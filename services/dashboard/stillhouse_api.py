"""The API, asked as any client asks it: over HTTP, with the key of whoever looks at the page.

In: a method, a path below `/v1`, a query or a body. Out: the JSON that the API answers. What it refuses is raised as
`ApiError` with its own status, field and remedy; where it does not answer, RetryLater; where it fails, ApiFailed. So
whoever presses a button may do what the key may do over HTTP, and no page needs a permission of its own.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlencode

import orjson
import urllib3

from foundation.errors import ApiError, Forbidden, RetryLater, Unauthorized
from foundation.settings import settings

MOST_SECONDS = 25.0
"""How long all calls of a page may take together: less than the 29 seconds that a page may take."""
_NO_END = float("inf")
_AT_ONCE = 3
"""Each call at the same time may be the start of another copy of the function that answers it."""
_SEE_OTHER = 303
_REFUSALS = 400
_UNAUTHORIZED = 401
_FORBIDDEN = 403
_NOT_FOUND = 404
_BUSY = frozenset({429, 502, 503, 504})
_FAILURES = 500
_NAMED = frozenset({"provider_away", "provider_refused"})
"""Codes of what is no load of the API: a model's provider is away, or refuses its key, and the message names it."""
_LONGEST_NAMED = 256


class Asked(NamedTuple):
    """A GET among several: its path below `/v1`, its query, and whether the page can do without its answer."""

    path: str
    query: Mapping[str, str] = {}
    spare: bool = False


MODELS = Asked("/models", spare=True)
"""The models that can be asked, which a form offers: who knows a name can type it where no provider answers."""
API_FAILED = "api_failed"
_MOST_NAMES = 500


class ApiFailed(ApiError):
    """The API failed at what it was asked: a fault in it, or in its stack, and no load that passes."""

    status = 500
    type = "server_error"

    def __init__(self, asked: str, status: int, request_id: str | None) -> None:
        super().__init__(f"The API failed: it answers {status} to {asked}.", code=API_FAILED)
        self.request_id = request_id


class Api(NamedTuple):
    """The API as the holder of this token sees it. What is posted with the same `once` twice is made once.

    No call waits longer than `until`, by the process's clock.
    """

    token: str
    once: str = ""
    until: float = _NO_END

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        return self._ask("GET", path, query or {}, None)

    def post(self, path: str, body: Any = None) -> Any:
        return self._ask("POST", path, {}, body)

    def put(self, path: str, body: Any) -> Any:
        return self._ask("PUT", path, {}, body)

    def delete(self, path: str) -> Any:
        return self._ask("DELETE", path, {}, None)

    def all(self, asked: Sequence[Asked]) -> list[Any]:
        """The answers to several GETs, sent at the same time.

        None for what does not exist, or not for this visitor, and for what a page can do without and is not to be had.
        """
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            return list(pool.map(self._found, asked))

    def every(self, path: str, *, most: int = 10_000) -> list[Any]:
        """The items of a list, page after page, at most so many."""
        items: list[Any] = []
        page: Any = {"has_more": True, "last_id": None}
        while page["has_more"] and len(items) < most:
            after = {"after": page["last_id"]} if page["last_id"] else {}
            page = self.get(path, {"limit": "100", **after})
            items += page["data"]
        return items[:most]

    def _found(self, asked: Asked) -> Any:
        try:
            return self.get(asked.path, asked.query)
        except (RetryLater, ApiFailed):
            if asked.spare:
                return None
            raise
        except ApiError as refusal:
            if refusal.status in {_FORBIDDEN, _NOT_FOUND} or (asked.spare and refusal.code in _NAMED):
                return None
            raise

    def _ask(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Any:
        url = settings().API_URL + path + (f"?{urlencode(query)}" if query else "")
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        if method == "POST" and self.once:
            headers["idempotency-key"] = self.once
        sent = None if body is None else orjson.dumps(body)
        answer = _sent(method, url, headers=headers, body=sent, timeout=self._left())
        if answer.status == _SEE_OTHER:
            # A large answer lies in the bucket, whose link takes no other authorization.
            answer = _sent("GET", answer.headers["location"], timeout=self._left())
        if answer.status >= _REFUSALS:
            raise _refusal(answer, f"{method} {path[:_LONGEST_NAMED]}")
        return orjson.loads(answer.data) if answer.data else None

    def _left(self) -> float:
        """The seconds that a call may still take. Raises RetryLater where none are left."""
        left = min(MOST_SECONDS, self.until - time.monotonic())
        if left <= 0:
            raise RetryLater("The API took too long.")
        return left


def names_of(models: Any) -> list[str]:
    """The names of the models in an answer to `MODELS`, as many as a form offers."""
    return [model["id"] for model in (models or {"data": []})["data"][:_MOST_NAMES]]


def _sent(method: str, url: str, *, timeout: float, **request: Any) -> urllib3.BaseHTTPResponse:
    try:
        return _pool().request(method, url, redirect=False, timeout=urllib3.Timeout(total=timeout), **request)
    except urllib3.exceptions.HTTPError as error:
        raise RetryLater(f"The API does not answer: {type(error).__name__}.") from error


@cache
def _pool() -> urllib3.PoolManager:
    # What was lost is not sent again: a POST could then be done twice.
    return urllib3.PoolManager(maxsize=_AT_ONCE, retries=False)


def _refusal(answer: urllib3.BaseHTTPResponse, asked: str) -> Exception:
    status, told = answer.status, _told(answer)
    if told.code in _NAMED:
        return told
    if status in _BUSY:
        return RetryLater(f"The API answers {status}.")
    if status >= _FAILURES:
        return ApiFailed(asked, status, answer.headers.get("x-request-id"))
    return told


def _told(answer: urllib3.BaseHTTPResponse) -> ApiError:
    """The refusal in an answer, in its own words where it has some."""
    try:
        error = orjson.loads(answer.data)["error"]
        kind = {_UNAUTHORIZED: Unauthorized, _FORBIDDEN: Forbidden}.get(answer.status, ApiError)
        return kind(error["message"], code=error.get("code"), param=error.get("param"), status=answer.status)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return ApiError(f"The API answers {answer.status}.", status=answer.status)
