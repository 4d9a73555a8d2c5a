"""Serve invocations one after the other, as the managed runtime does: load the handler, then event, answer, event.

In: Lambda's environment. Out: the exit code of the process. An invocation that fails is told to Lambda and logged, and
the next one is served. A body that follows in pieces is read to its end even where Lambda has closed the connection:
what the handler does at its end, such as a capture, is then done all the same, before the next event is asked for.
"""

from __future__ import annotations

import asyncio
import base64
import importlib
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import orjson

from foundation.settings import note_trace
from foundation.streaming.failure import Failure
from foundation.streaming.invocation import Invocation
from foundation.streaming.runtime_api import AnswerRefused, RuntimeApi, RuntimeGone, Streamed

type Handler = Callable[[Any, Invocation], Any]

# A URL that streams leaves some clients waiting for a body that is empty, as several projects have seen on AWS.
_NO_BODY = b" "
_HEAD = ("statusCode", "headers", "cookies")
# A task that somebody has cancelled is no Exception, and no reason to end the process.
_FAILURES = (Exception, asyncio.CancelledError)


def run(function: Mapping[str, str]) -> int:
    """Serve until Lambda gives no more events, or ends the process. `function` is Lambda's environment."""
    api = RuntimeApi(function["AWS_LAMBDA_RUNTIME_API"], function)
    serving = Serving(api)
    signal.signal(signal.SIGTERM, lambda *_: serving.stop())
    try:
        handler = load(function["_HANDLER"])
    except _FAILURES as error:
        return _failed_to_start(api, error)
    with suppress(RuntimeGone):
        serving.serve(handler)
        return 0
    return 1


def load(name: str) -> Handler:
    """The function that `module.function` names."""
    module, _, function = name.rpartition(".")
    handler: Handler = getattr(importlib.import_module(module), function)
    return handler


def _failed_to_start(api: RuntimeApi, error: BaseException) -> int:
    kinds: dict[type[BaseException], str] = {
        ImportError: "Runtime.ImportModuleError",
        SyntaxError: "Runtime.UserCodeSyntaxError",
        AttributeError: "Runtime.HandlerNotFound",
        ValueError: "Runtime.MalformedHandlerName",
    }
    failure = Failure.of(error, next((kinds[kind] for kind in kinds if isinstance(error, kind)), None))
    _log(failure)
    with suppress(AnswerRefused, RuntimeGone):
        api.fail_init(failure)
    return 1


class Serving:
    """The loop over invocations, which a signal ends: at once while it waits, else after the invocation at hand."""

    def __init__(self, api: RuntimeApi) -> None:
        self._api = api
        self._waits = False
        self._stopped = False

    def stop(self) -> None:
        self._stopped = True
        if self._waits:
            raise SystemExit(0)

    def serve(self, handler: Handler) -> None:
        """Serve until it is stopped. Raises RuntimeGone."""
        while not self._stopped:
            self._waits = True
            invocation = self._api.next()
            self._waits = False
            note_trace(invocation.trace_id)
            try:
                self._answer(handler, invocation)
            except AnswerRefused as refused:
                _log(Failure.of(refused))

    def _answer(self, handler: Handler, invocation: Invocation) -> None:
        request_id = invocation.aws_request_id
        try:
            reply = _reply(handler(invocation.event(), invocation), invocation)
        except _FAILURES as error:
            failure = Failure.of(error)
            _log(failure)
            self._api.fail(request_id, failure)
            return
        if isinstance(reply, bytes):
            self._api.answer(request_id, reply)
            return
        try:
            with self._api.streamed(request_id, reply.head) as streamed:
                _send(streamed, reply.pieces, request_id)
        finally:
            # What is left of them where Lambda takes no more; nothing where all were sent.
            _read_out(reply.pieces)


class _InPieces(NamedTuple):
    """An HTTP answer for the function's own URL: its status and headers, and its body."""

    head: bytes
    pieces: Iterator[bytes]


def _reply(answer: Any, invocation: Invocation) -> bytes | _InPieces:
    """What a handler has returned, as this invocation wants it: in pieces, or whole as of the managed runtime."""
    if not invocation.streams:
        return orjson.dumps(answer)
    head = {name: answer[name] for name in _HEAD if answer.get(name)}
    return _InPieces(orjson.dumps(head), invocation.pieces or iter([_body(answer) or _NO_BODY]))


def _send(streamed: Streamed, pieces: Iterator[bytes], request_id: str) -> None:
    while True:
        try:
            piece = next(pieces, None)
        except _FAILURES as error:
            failure = Failure.of(error)
            _log(failure)
            streamed.fail(failure, request_id)
            return
        if piece is None:
            streamed.end()
            return
        streamed.send(piece)


def _read_out(pieces: Iterator[bytes]) -> None:
    try:
        for _ in pieces:
            pass
    except _FAILURES as error:
        _log(Failure.of(error))


def _body(answer: dict[str, Any]) -> bytes:
    body: str = answer.get("body") or ""
    return base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()


def _log(failure: Failure) -> None:
    sys.stdout.write(failure.line() + "\n")
