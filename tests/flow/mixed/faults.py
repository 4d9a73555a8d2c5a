"""One call in twenty fails: of AWS's by the handlers, and of the model provider's and the trainer's API; seeded.

Half of the failures come before the effect, half after it, so that only the answer is lost. An AWS call that is struck
mostly fails at its first attempt, and botocore asks again; one in five fails at all of botocore's attempts and reaches
the code. What a test itself asks of AWS is never struck.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, NamedTuple

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse
from starlette.types import Message, Receive, Scope, Send

from local.lab.app import create_app
from local.lab.wire import ApiError, error_response

SHARE = 0.05
_LASTING_SHARE = 0.2
_ATTEMPTS = 5
_ATTEMPT = re.compile(r"attempt=(\d+)")
_BROKEN = '{"__type": "InternalServerError", "message": "injected"}'
_BROKEN_S3 = "<Error><Code>InternalError</Code><Message>injected</Message></Error>"


class _Strike(NamedTuple):
    """How many attempts of a call fail, whether the first takes effect, and whether the connection breaks."""

    attempts: int
    after: bool
    breaks: bool


class Faults:
    """Every request to AWS passes it. `on` says whether any is struck, `lasting` whether one may fail for good."""

    def __init__(self, dice: Random, monkeypatch: pytest.MonkeyPatch) -> None:
        self.on = False
        self.lasting = True
        self.calls: Counter[str] = Counter()
        self.struck: Counter[str] = Counter()
        self._dice = dice
        self._at_work = False
        self._strikes: dict[str, _Strike] = {}
        answered = BotocoreStubber.__call__

        def answer(stubber: BotocoreStubber, event_name: str, request: Any, **options: Any) -> Any:
            service = event_name.split(".")[1]
            attempt = _attempt(request)
            strike = self._strike(service, str(request.headers.get("amz-sdk-invocation-id")), attempt)
            if strike is None:
                return answered(stubber, event_name, request, **options)
            if strike.after and attempt == 1:
                answered(stubber, event_name, request, **options)
            if strike.breaks:
                raise ConnectionClosedError(endpoint_url="injected")
            body = _BROKEN_S3 if service == "s3" else _BROKEN
            return AWSResponse(request.url, 500, {}, MockRawResponse(body))  # type: ignore[arg-type]

        monkeypatch.setattr(BotocoreStubber, "__call__", answer)
        # botocore and the SDKs pause before they ask again.
        monkeypatch.setattr(time, "sleep", lambda _: None)

    @contextmanager
    def at_work(self, *, lasting: bool) -> Iterator[None]:
        """A handler is at work in this block."""
        self._at_work, self.lasting = True, lasting
        try:
            yield
        finally:
            self._at_work = False

    def _strike(self, service: str, call: str, attempt: int) -> _Strike | None:
        if attempt == 1 and self._at_work and self.on:
            self.calls[service] += 1
            if self._dice.random() < SHARE:
                self._strikes[call] = self._drawn(service)
        strike = self._strikes.get(call)
        if strike and attempt >= min(strike.attempts, _ATTEMPTS):
            del self._strikes[call]
        return strike

    def _drawn(self, service: str) -> _Strike:
        for_good = self.lasting and self._dice.random() < _LASTING_SHARE
        strike = _Strike(_ATTEMPTS if for_good else 1, self._dice.random() < 0.5, self._dice.random() < 0.5)
        self.struck[f"{service} {'after' if strike.after else 'before'}"] += 1
        self.struck["for good"] += for_good
        return strike


def _attempt(request: Any) -> int:
    match = _ATTEMPT.search(str(request.headers.get("amz-sdk-request")))
    return int(match[1]) if match else 1


class UnreliableLab:
    """The lab behind a bad line; `renew` puts a new one in its place."""

    def __init__(self) -> None:
        self.on = False
        self.calls = 0
        self.struck: Counter[str] = Counter()
        self.dice = Random(0)
        self._app = create_app()

    def renew(self) -> None:
        self._app = create_app()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/v1/"):
            await self._app(scope, receive, send)
            return
        self.calls += self.on
        if not self.on or self.dice.random() >= SHARE:
            await self._app(scope, receive, send)
            return
        after = self.dice.random() < 0.5
        self.struck[f"{_api(scope['path'])} {'after' if after else 'before'}"] += 1
        if after:
            await self._app(scope, receive, _lost)
        await error_response(ApiError(500, "injected", code="injected", kind="server_error"))(scope, receive, send)


def _api(path: str) -> str:
    return "trainer" if "/fine_tuning" in path or "/files" in path else "provider"


async def _lost(_: Message) -> None:
    """Take an answer that nobody gets."""
