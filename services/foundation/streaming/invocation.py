"""One invocation: the event, and the context that a handler gets beside it.

A handler whose invocation `streams` may answer with the status and the headers alone, and let its body follow in
pieces: it calls `context.follow(pieces)`, and the runtime sends each piece when it has it. Who asked by the function's
own URL gets streams; every other caller gets the whole answer, as the managed runtime gives it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

_ID = "lambda-runtime-aws-request-id"
_DEADLINE = "lambda-runtime-deadline-ms"
_ARN = "lambda-runtime-invoked-function-arn"
_TRACE = "lambda-runtime-trace-id"
_OWN_URL = ".lambda-url."


class Invocation:
    """What Lambda's `next` has said. `headers` are by lower-case name, `function` is what Lambda says of itself."""

    def __init__(self, headers: Mapping[str, str], body: bytes, function: Mapping[str, str]) -> None:
        self.body = body
        self.trace_id = headers.get(_TRACE)
        self.aws_request_id = headers[_ID]
        self.invoked_function_arn = headers.get(_ARN, "")
        self._ends = int(headers[_DEADLINE]) / 1000
        self.function_name = function.get("AWS_LAMBDA_FUNCTION_NAME", "")
        self.function_version = function.get("AWS_LAMBDA_FUNCTION_VERSION", "")
        self.memory_limit_in_mb = function.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
        self.log_group_name = function.get("AWS_LAMBDA_LOG_GROUP_NAME", "")
        self.log_stream_name = function.get("AWS_LAMBDA_LOG_STREAM_NAME", "")
        self.streams = False
        self.pieces: Iterator[bytes] | None = None

    def event(self) -> Any:
        """The event. Raises ValueError where it is no JSON."""
        event = orjson.loads(self.body)
        self.streams = is_by_own_url(event)
        return event

    def get_remaining_time_in_millis(self) -> int:
        """The milliseconds until Lambda ends the invocation."""
        return max(0, int((self._ends - time.time()) * 1000))

    def follow(self, pieces: Iterator[bytes]) -> None:
        """Have these pieces follow the status and the headers that the handler returns, as its body."""
        self.pieces = pieces


def is_by_own_url(event: Any) -> bool:
    """Whether an event is a request to the function's own URL, and not through an API before it."""
    match event:
        case {"requestContext": {"domainName": str(name)}}:
            return _OWN_URL in name
    return False
