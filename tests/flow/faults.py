"""Faults to inject into a flow: the n-th call made for a message raises, before its effect or after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import botocore.client
import pytest
from botocore.exceptions import EndpointConnectionError

from distillations.deciding import evidence
from foundation import bus
from providers.openai_compatible import OpenAICompatible
from stats import ratio_interval
from tuning.trainers.openai_compatible import OpenAITrainer
from tuning.trainers.openai_files import OpenAIFiles
from tuning.trainers.trainer import TrainerAway


class Hook:
    """Counts the calls made for the message at work, and raises at the n-th; each message is struck once."""

    def __init__(self, n: int, when: str) -> None:
        self.n, self.when = n, when
        self.at_work: str | None = None
        self.counts: Counter[str] = Counter()
        self.struck: set[str] = set()

    def around(self, message: str, call: Callable[[], Any]) -> Any:
        """Run one delivery."""
        self.at_work = message if message not in self.struck else None
        self.counts[message] = 0
        try:
            return call()
        except EndpointConnectionError:  # only the clock lets errors through
            return None
        finally:
            self.at_work = None

    @contextmanager
    def call(self) -> Iterator[None]:
        message = self.at_work
        if message is None:
            yield
            return
        self.counts[message] += 1
        strike = self.counts[message] == self.n
        if strike:
            self.struck.add(message)
        if strike and self.when == "before":
            self.at_work = None
            raise EndpointConnectionError(endpoint_url="injected")
        yield
        if strike:
            self.at_work = None
            raise EndpointConnectionError(endpoint_url="injected")


@contextmanager
def injected(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every call of boto3, of the chat provider and of the trainer passes the hook."""
    aws_call = botocore.client.BaseClient._make_api_call

    def call_aws(self: Any, name: str, arguments: Any) -> Any:
        with hook.call():
            return aws_call(self, name, arguments)

    send = bus.send

    def send_at_once(message: Any, *, delay_s: int = 0) -> None:  # noqa: ARG001 - what waits comes at once
        send(message)

    ask = OpenAICompatible._ask

    async def call_model(self: Any, *arguments: Any, **options: Any) -> Any:
        with hook.call():
            return await ask(self, *arguments, **options)

    def of_trainer(method: Any) -> Any:
        def call_trainer(self: Any, *arguments: Any) -> Any:
            try:
                with hook.call():
                    return method(self, *arguments)
            except EndpointConnectionError as error:
                raise TrainerAway(str(error)) from error

        return call_trainer

    with monkeypatch.context() as patch:
        patch.setattr(botocore.client.BaseClient, "_make_api_call", call_aws)
        patch.setattr(bus, "send", send_at_once)
        patch.setattr(OpenAICompatible, "_ask", call_model)
        for name in ("find", "start", "look", "forget"):
            patch.setattr(OpenAITrainer, name, of_trainer(getattr(OpenAITrainer, name)))
        patch.setattr(OpenAIFiles, "_upload", of_trainer(OpenAIFiles._upload))
        # No call is among the ten thousand draws of a verdict, which were a tenth of a flow's time.
        patch.setattr(evidence, "ratio_interval", partial(ratio_interval, draws=100))
        yield
