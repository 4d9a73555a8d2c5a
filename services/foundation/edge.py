"""What every HTTP function does with a request's bytes and with failures, whichever way it routes requests.

In: an event of the HTTP API or of a function URL, payload 2.0. Out: its body, and answers to failures in OpenAI's
shape: a refusal has its own status, a busy service or AWS gives 503, any other exception is logged once and gives 500.
Bodies over 4 MB are refused. `serve` is for functions with few routes; `http` adds Powertools' router for the others.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, NamedTuple

import orjson

from foundation import aws, keys
from foundation.errors import ApiError, RetryLater, TooLarge
from foundation.parameters import refuse_unknown
from foundation.routes import Route, Routes, methods_at
from foundation.settings import settings

MAX_BODY = 4 * 1024 * 1024
MAX_ANSWER = 6_291_556 - 64 * 1024
"""Lambda lets so many bytes of an answer through, as it is serialized; some are left for its headers."""
JSON = "application/json"
SMALLER = "Name images by an https URL in place of their bytes, or make them smaller"
"""What makes a call with images small enough, wherever it comes in."""
_IN_PARTS = (
    f"Send it in parts, or compressed: Content-Encoding gzip and zstd are taken. One record has at most {MAX_BODY} "
    f"bytes. {SMALLER}."
)
_LONGEST_NAMED = 256
_ELSEWHERE = {
    "batches": "A batch and its files are the provider's: make it there, with the provider's own base URL and key, and "
    "push the calls that it answered to POST /v1/captures. A run whose data source says batch: true has its rows "
    "answered at the same price.",
    "fine_tuning": "The permissions of checkpoints, which share them between OpenAI's projects, do not exist here: a "
    "model that was trained answers every key with the scope infer.",
    "uploads": "A file of up to 128 MB goes by a link: POST /v1/files/presigned answers with it.",
}
"""What to do instead of what OpenAI has and no route here serves, by the first step of the path."""
_NOT_FOUND = 404
_SERVER_ERROR = 500
_UNAVAILABLE = 503
_RETRY_AFTER_S = "2"


class Request(NamedTuple):
    """A request as `serve` gives it to a route: the path's parameters, headers by lower-case name, and the body."""

    parameters: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


class Answer(NamedTuple):
    """An HTTP answer: its status, a body that orjson can write, and headers."""

    status: int
    body: Any
    headers: Mapping[str, str] = {}


def serve(event: dict[str, Any], context: Any, routes: Routes) -> dict[str, Any]:
    """Answer one event by the route that it names, if its key has the scope of that route."""
    try:
        answer = _answer(event, routes.declared)
    except Exception as error:  # noqa: BLE001 - whatever it was, the caller gets an answer
        answer = failed(error)
    return {
        "statusCode": answer.status,
        "headers": {"Content-Type": JSON, **answer.headers, "x-request-id": context.aws_request_id},
        "body": orjson.dumps(answer.body).decode(),
        "isBase64Encoded": False,
    }


def _answer(event: dict[str, Any], routes: Sequence[Route]) -> Answer:
    method, path = event["requestContext"]["http"]["method"], event["rawPath"]
    headers = {name.lower(): value for name, value in event["headers"].items()}
    for route in routes:
        parameters = route.match(path) if route.method == method else None
        if parameters is not None:
            if route.scopes:
                keys.check(keys.given(headers), *route.scopes)
            refuse_unknown(route, event.get("queryStringParameters") or {})
            body = body_of(event.get("body"), encoded=event.get("isBase64Encoded", False), remedy=_IN_PARTS)
            return Answer(route.status, route.serve(Request(parameters, headers, body)))
    raise unknown_url(method, path, methods_at(routes, path))


def body_of(text: str | None, *, encoded: bool, remedy: str) -> bytes:
    """The body's bytes. Raises TooLarge over 4 MB on the wire, with the remedy that its route has."""
    body = base64.b64decode(text or "") if encoded else (text or "").encode()
    if len(body) > MAX_BODY:
        raise TooLarge(
            f"The body has {len(body)} bytes; at most {MAX_BODY} are taken. {remedy}", code="request_too_large"
        )
    return body


def text_of(body: bytes) -> str | None:
    """The body as text; None if it is no UTF-8, and stands in the answer of a function as base64."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


def serialized(body: bytes) -> int:
    """How many bytes a body has in the answer of a function, where it stands as a JSON text."""
    text = text_of(body)
    return 4 * ceil(len(body) / 3) if text is None else len(orjson.dumps(text))


def unknown_url(method: str, path: str, methods: Sequence[str]) -> ApiError:
    """The refusal of a request that no route serves. `methods` are those that the path has routes for."""
    named = f"{method} {path}"[:_LONGEST_NAMED]
    remedy = f"This path takes {' and '.join(methods)}." if methods else _remedy(path)
    base = settings().API_URL
    return ApiError(
        f"Unknown request URL: {named}. {remedy} The base URL of all routes is {base}, and GET {base}/openapi.json "
        "describes each.",
        code="unknown_url",
        status=_NOT_FOUND,
    )


def _remedy(path: str) -> str:
    return _ELSEWHERE.get(
        path.removeprefix("/v1/").partition("/")[0],
        "Check it for typos, or send it to the provider itself: nothing is passed on but what is described.",
    )


def failed(error: Exception) -> Answer:
    """The answer to an exception. Any but a refusal is logged."""
    if isinstance(error, ApiError):
        return Answer(error.status, error.body(), error.headers)
    # Imported here: it brings pydantic, and a function that does not fail starts sooner without.
    from foundation.consumer import logger

    if isinstance(error, RetryLater) or aws.is_busy(error):
        logger().warning("answered 503", extra={"error": str(error)})
        busy = "The service is busy. Try again shortly."
        return Answer(_UNAVAILABLE, _server_error(busy), {"retry-after": _RETRY_AFTER_S})
    logger().error("request failed", exc_info=error)
    return Answer(_SERVER_ERROR, _server_error("The server had an error. Its log has the request id."))


def _server_error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "server_error", "param": None, "code": "server_error"}}
