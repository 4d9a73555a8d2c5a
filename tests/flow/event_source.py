"""A queue's event source on a bad day: any grouping, any message again, the consumer killed in its middle; seeded.

In: the messages that wait in moto's queue; the recorder's, if nothing else is said. Out: events of one or many
messages, as Lambda gives them, in any order, some in two events at once. A message that failed comes again, as all of
an event do whose consumer was killed, and some that did not fail. Nothing is killed or repeated so often that it would
end in the dead letters.
"""

from __future__ import annotations

from random import Random
from typing import Any

import botocore.client
import pytest

from tests.cloud import aws_client
from tests.flow import system as flow
from tests.flow.system import System
from tests.flow.throttling import Throttling

_MOST_A_POLL = 12
_LAST_CALL = 25
_KILLED_SHARE = 0.4
_REPEATED_SHARE = 0.1
# The fifth failure would be the last one.
_MOST_DISTURBED = 2
_MOST_THROTTLED = 4


class Killed(BaseException):
    """The consumer's process is gone; no `except` of its own sees that."""


class EventSource:
    """Delivers what waits for one consumer."""

    def __init__(
        self,
        seed: int,
        system: System,
        throttling: Throttling,
        monkeypatch: pytest.MonkeyPatch,
        *,
        queue: str = "RECORD",
        together: tuple[int, ...] = (1, 4, 60),
    ) -> None:
        self.kills = self.repeats = self.failures = 0
        self._throttling = throttling
        self._dice = Random(seed)
        self._system = system
        self._url = system.queues[queue]
        self._consumer = flow.CONSUMERS[queue]
        self._together = together
        self._sqs = aws_client("sqs")
        self._calls_left: int | None = None
        self._effect = False
        called = botocore.client.BaseClient._make_api_call

        def call(client: Any, name: str, arguments: Any) -> Any:
            if self._calls_left is None:
                return called(client, name, arguments)
            self._calls_left -= 1
            if self._calls_left == 0 and self._effect:
                called(client, name, arguments)
            if self._calls_left <= 0:
                raise Killed
            return called(client, name, arguments)

        monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)

    @property
    def dead(self) -> bool:
        """Whether the consumer at work was killed: what it still does would not be done."""
        return self._calls_left is not None and self._calls_left <= 0

    def drain(self) -> None:
        """Deliver until nothing waits."""
        while self.deliver():
            pass

    def deliver(self) -> int:
        """Deliver some of what waits; how many messages those were."""
        waiting = [message for _ in range(self._dice.randint(1, _MOST_A_POLL)) for message in self._received()]
        self._dice.shuffle(waiting)
        done: set[str] = set()
        for event in self._events(waiting):
            done |= self._delivered(event)
        for message in waiting:
            self._settle(message, done=message["MessageId"] in done)
        return len(waiting)

    def _received(self) -> list[dict[str, Any]]:
        return list(flow._received(self._sqs, self._url))

    def _events(self, waiting: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
        events = []
        left = list(waiting)
        while left:
            size = self._dice.randint(1, self._dice.choice(self._together))
            events.append(left[:size])
            left = left[size:]
        for message in waiting:
            if self._dice.random() < _REPEATED_SHARE:
                self.repeats += 1
                self._dice.choice(events).append(message)
        return events

    def _delivered(self, messages: list[dict[str, Any]]) -> set[str]:
        """Give these to the consumer, and to nobody if it dies; the ids of those that it is done with."""
        unique = {message["MessageId"]: message for message in messages}
        event = {"Records": [record for message in unique.values() for record in flow._sqs_event(message)["Records"]]}
        most = max(map(_receives, messages))
        self._throttling.on = most <= _MOST_THROTTLED
        if most <= _MOST_DISTURBED and self._dice.random() < _KILLED_SHARE:
            self._calls_left = self._dice.randint(1, _LAST_CALL)
            self._effect = self._dice.random() < 0.5
        try:
            answer = self._consumer(event, flow.FakeContext())
        except Killed:
            self.kills += 1
            self._system.passed_ms += flow.VISIBILITY_MS
            return set()
        finally:
            self._calls_left = None
            self._throttling.on = True
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        self.failures += len(failed)
        self._system.passed_ms += flow.VISIBILITY_MS if failed else 0
        return unique.keys() - failed

    def _settle(self, message: dict[str, Any], *, done: bool) -> None:
        handle = {"QueueUrl": self._url, "ReceiptHandle": message["ReceiptHandle"]}
        repeated = _receives(message) <= _MOST_DISTURBED and self._dice.random() < _REPEATED_SHARE
        if done and not repeated:
            self._sqs.delete_message(**handle)
        else:
            self.repeats += done
            self._sqs.change_message_visibility(**handle, VisibilityTimeout=0)


def _receives(message: dict[str, Any]) -> int:
    return int(message["Attributes"]["ApproximateReceiveCount"])
