"""The edge of every HTTP function, whoever routes: a request's bytes in, OpenAI's manners out.

In: an event of the HTTP API or of a function URL, payload 2.0. Out: its body, and the answer to a failure: a refusal
with its own status, 503 where the service or AWS is busy, 500 for what nobody planned, logged once. Bodies over 4 MB
are refused. `serve` does without a router; `http` puts one on top.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import orjson

from foundation import aws, keys
from foundation.errors import ApiError, NotFound, RetryLater, TooLarge

MAX_BODY = 4 * 1024 * 1024
JSON = "application/json"
_SERVER_ERROR = 500
_UNAVAILABLE = 503
_RETRY_AFTER_S = "2"


class Request(NamedTuple):
    """What a function with a route or two looks at; names of headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Answer(NamedTuple):
    """A status, what orjson writes, and headers."""

    status: int
    body: Any
    headers: Mapping[str, str] = {}


def serve(event: dict[str, Any], context: Any, *, scope: str, answer: Callable[[Request], Answer]) -> dict[str, Any]:
    """Answer one event whose key has this scope."""
    try:
        headers = {name.lower(): value for name, value in event["headers"].items()}
        keys.check(headers.get("authorization"), scope)
        body = body_of(event.get("body"), encoded=event.get("isBase64Encoded", False))
        said = answer(Request(event["requestContext"]["http"]["method"], event["rawPath"], headers, body))
    except Exception as error:  # noqa: BLE001 - whatever it was, the caller gets an answer
        said = failed(error)
    return {
        "statusCode": said.status,
        "headers": {"Content-Type": JSON, **said.headers, "x-request-id": context.aws_request_id},
        "body": orjson.dumps(said.body).decode(),
        "isBase64Encoded": False,
    }


def body_of(text: str | None, *, encoded: bool) -> bytes:
    """The body's bytes. Raises TooLarge over 4 MB on the wire."""
    body = base64.b64decode(text or "") if encoded else (text or "").encode()
    if len(body) > MAX_BODY:
        raise TooLarge(
            f"The body has {len(body)} bytes; at most {MAX_BODY} are taken. Send it in parts, or compressed.",
            code="request_too_large",
        )
    return body


def no_route() -> NotFound:
    """The refusal of a path or a method that nobody serves."""
    return NotFound("route", "this path and method", param="path")


def failed(error: Exception) -> Answer:
    """The answer to what was raised; what is no refusal is logged."""
    if isinstance(error, ApiError):
        return Answer(error.status, error.body(), error.headers)
    # A start that goes well has nothing to log with.
    from foundation.consumer import logger

    if isinstance(error, RetryLater) or aws.is_busy(error):
        logger().warning("answered 503", extra={"error": str(error)})
        busy = "The service is busy. Try again shortly."
        return Answer(_UNAVAILABLE, _server_error(busy), {"retry-after": _RETRY_AFTER_S})
    logger().error("request failed", exc_info=error)
    return Answer(_SERVER_ERROR, _server_error("The server had an error. Its log has the request id."))


def _server_error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "server_error", "param": None, "code": "server_error"}}
