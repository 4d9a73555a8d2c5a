"""The stack under mixed load: requests that are repeated as the SDK repeats them, a queue's event source, the clocks.

Messages come at random, the recorder's many together, some twice, some again though they were done. One that failed is
visible again after its visibility timeout. What fails for good is kept from a message's last two deliveries: five
failures in a row are the dead letters by design, however innocent the message.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from random import Random
from typing import Any

from tests.cloud import aws_client
from tests.flow import system as flow
from tests.flow.mixed.clock import Clock
from tests.flow.mixed.faults import Faults, UnreliableLab
from tests.flow.system import CLOCK, CONSUMERS, SWEEP, FakeContext, System

_SWEEP_EVERY_S = 3600
_VISIBILITY_S = 720
_TWICE_SHARE = 0.05
_UNDELETED_SHARE = 0.03
_MOST_DISTURBED = 3
_ATTEMPTS = 40
_LASTING_ATTEMPTS = 4
_SERVER_ERROR = 500
_COUNTS = ("", "NotVisible", "Delayed")


class Patient(FakeContext):
    """The context of a function with a quarter of an hour."""

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


class Stack:
    """What actors do to the system, and what drives it."""

    def __init__(self, system: System, faults: Faults, lab: UnreliableLab, clock: Clock, dice: Random) -> None:
        self.system, self.faults, self.lab, self.clock, self.dice = system, faults, lab, clock, dice
        self.counts: Counter[str] = Counter()
        self._sqs = aws_client("sqs")
        self._swept_at = clock.now

    # -------------------------------------------------------------- HTTP

    def ask(
        self, method: str, url: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any, bool]:
        """One request, repeated while it is answered 5xx: status, answer, and whether it was repeated."""
        for attempt in range(_ATTEMPTS):
            with self.faults.at_work(lasting=attempt < _LASTING_ATTEMPTS):
                counted = {"x-stainless-retry-count": str(attempt), **(headers or {})}
                status, answer = self.system.call(method, url, body, headers=counted)
            if status < _SERVER_ERROR:
                return status, answer, attempt > 0
            self.counts["answers of 5xx"] += 1
            self.clock.pass_s(1)
        raise AssertionError((method, url, status, answer))

    def ok(self, method: str, url: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        status, answer, _ = self.ask(method, url, body, headers)
        assert status < 300, (method, url, status, answer)
        return answer

    # -------------------------------------------------------------- queues and clocks

    def deliver(self, name: str) -> int:
        """One event of this queue, if anything is visible there; how many messages it had."""
        waiting = self._received(name, polls=self.dice.choice([1, 3]) if name == "RECORD" else 1)
        if not waiting:
            return 0
        if name == "RECORD":
            self._give(name, waiting)
            return len(waiting)
        # The template gives each of the others one message at a time.
        for message in waiting:
            self._give(name, [message])
        return len(waiting)

    def _received(self, name: str, *, polls: int) -> list[dict[str, Any]]:
        messages: dict[str, dict[str, Any]] = {}
        for _ in range(polls):
            answer = self._sqs.receive_message(
                QueueUrl=self.system.queues[name],
                MaxNumberOfMessages=10,
                VisibilityTimeout=_VISIBILITY_S,
                WaitTimeSeconds=0,
                AttributeNames=["All"],
            )
            messages |= {message["MessageId"]: message for message in answer.get("Messages", [])}
        waiting = list(messages.values())
        self.dice.shuffle(waiting)
        return waiting

    def _give(self, name: str, messages: list[dict[str, Any]]) -> None:
        event = {"Records": [record for message in messages for record in flow._sqs_event(message)["Records"]]}
        receives = max(int(message["Attributes"]["ApproximateReceiveCount"]) for message in messages)
        twice = self.dice.random() < _TWICE_SHARE
        self.counts["doubled deliveries"] += twice
        for _ in range(2 if twice else 1):
            with self.faults.at_work(lasting=receives <= _MOST_DISTURBED):
                answer = CONSUMERS[name](event, FakeContext())
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        self.counts["deliveries"] += len(messages)
        self.counts["deliveries that failed"] += len(failed)
        for message in messages:
            if message["MessageId"] in failed:
                continue
            if receives <= _MOST_DISTURBED and self.dice.random() < _UNDELETED_SHARE:
                self.counts["deliveries of what was done"] += 1
                continue
            self._sqs.delete_message(QueueUrl=self.system.queues[name], ReceiptHandle=message["ReceiptHandle"])

    def tick(self) -> None:
        """The clock of open jobs, if it runs; an error of it is for its alarm."""
        if self.system.clock_runs():
            self._timed(CLOCK, FakeContext())

    def sweep_if_due(self) -> None:
        if self.clock.now >= self._swept_at + _SWEEP_EVERY_S:
            self.sweep()

    def sweep(self) -> None:
        """The hourly sweep; an error of it is for its alarm."""
        self._swept_at = self.clock.now
        self._timed(SWEEP, Patient())

    def _timed(self, entry: Any, context: Any) -> None:
        self.counts[f"{entry.__name__}s"] += 1
        with self.faults.at_work(lasting=True):
            try:
                entry({}, context)
            except Exception:
                if not self.faults.on:
                    raise
                self.counts[f"{entry.__name__}s that failed"] += 1

    def waiting(self) -> dict[str, int]:
        """How many messages each queue holds, visible or not."""
        return {name: held for name, url in self.system.queues.items() if (held := self._held(url))}

    def _held(self, url: str) -> int:
        names = [f"ApproximateNumberOfMessages{count}" for count in _COUNTS]
        attributes = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)

    def settle(self, *, rounds: int = 400) -> None:
        """Deliver and let time pass until no message is left and no job is open."""
        for _ in range(rounds):
            while sum(self.deliver(name) for name in CONSUMERS):
                pass
            if self.system.clock_runs():
                self.tick()
                # A training takes its real time.
                threading.Event().wait(0.005)
                self.clock.pass_s(60)
            elif self.waiting():
                self.clock.pass_s(_VISIBILITY_S + 1)
            else:
                return
        raise AssertionError(f"the system does not come to rest: {self.waiting()}")

    def dead_letters(self) -> dict[str, list[str]]:
        """What lies in the dead letters now, by queue; it is taken out."""
        return {name: bodies for name, url in self.system.dead_letters.items() if (bodies := self._drained(url))}

    def notified(self) -> list[dict[str, Any]]:
        """What the subscriber of the topic has been told; it is taken out."""
        return [json.loads(body) for body in self._drained(self.system.inbox)]

    def _drained(self, url: str) -> list[str]:
        bodies: list[str] = []
        while messages := list(flow._received(self._sqs, url)):
            for message in messages:
                bodies.append(message["Body"])
                self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bodies
