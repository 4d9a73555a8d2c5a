"""Rounds of mixed load: actors, deliveries and clocks in a seeded order, with faults; then rest, checks, and an end.

A round ends as a stack's data do: a retention policy over everything deletes the completions, and the sweep erases
them. Then moto's stores are emptied, so that a round costs what the first one did.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

import pytest

import gateway.capturing
from completions import frames
from grading import grade
from providers import patience
from tests.cloud import aws_client
from tests.flow.mixed import memory
from tests.flow.mixed.checks import Checks
from tests.flow.mixed.clock import A_DAY_S, Clock
from tests.flow.mixed.faults import Faults, UnreliableLab
from tests.flow.mixed.measuring import Measuring
from tests.flow.mixed.memory import Memory
from tests.flow.mixed.model import Model
from tests.flow.mixed.pushing import Pushing, path_of
from tests.flow.mixed.receiver import Received
from tests.flow.mixed.stack import Stack
from tests.flow.system import CONSUMERS, System

_MOST_STEP_S = 20


class Load:
    """One stack for all rounds, and what it owes in this one."""

    def __init__(self, system: System, lab: UnreliableLab, received: Received, monkeypatch: pytest.MonkeyPatch) -> None:
        self._dice = Random(1)
        self.faults = Faults(self._dice, monkeypatch)
        self.lab = lab
        self.received = received
        self.stack = Stack(system, self.faults, lab, Clock(monkeypatch), self._dice)
        self.memories: list[Memory] = []
        self.ends: Counter[str] = Counter()
        self.acts: Counter[str] = Counter()
        # A chunk whose provider is away goes back to its queue, instead of waiting for it.
        monkeypatch.setattr(grade, "_RETRY_S", 0.05)
        monkeypatch.setattr(patience, "_FIRST_PAUSE_S", 0.02)
        monkeypatch.setattr(gateway.capturing, "count_failure", self._count_lost)

    def _count_lost(self) -> None:
        self._pushing.lost_by_gateway += 1

    def round(self, webhooks: str, *, seed: int, steps: int, hostile_share: float) -> None:
        self._dice.seed(seed)
        self.lab.dice.seed(seed)
        self.lab.renew()
        self.received.clear()
        model = Model()
        self._pushing = Pushing(self.stack, model, hostile_share=hostile_share)
        self._measuring = Measuring(self.stack, model, self._pushing)
        self._listen(webhooks)
        with self._faulty():
            for number in range(steps):
                if number in {0, steps // 2}:
                    # A short round has a distillation too.
                    self._measuring.distil()
                self._step()
        self._rest()
        checks = Checks(self.stack, model, self.received)
        checks.all()
        self._delete_everything(model)
        assert self.stack.dead_letters() == {}
        self.ends.update(checks.ends)
        self.ends["captures that the gateway gave up"] += self._pushing.lost_by_gateway
        memory.empty(self.stack.system)
        self.memories.append(memory.measured())

    def _listen(self, url: str) -> None:
        types = self.stack.ok("GET", "/v1/webhook_event_types")["data"]
        self.stack.ok("POST", "/v1/webhook_endpoints", {"name": "soak", "url": url, "event_types": types})

    @contextmanager
    def _faulty(self) -> Iterator[None]:
        self.faults.on = self.lab.on = True
        try:
            yield
        finally:
            self.faults.on = self.lab.on = False

    def _step(self) -> None:
        self.stack.clock.pass_s(self._dice.uniform(0.2, _MOST_STEP_S))
        if self._dice.random() < 0.5:
            acts = self._acts()
            act = self._dice.choices(list(acts), weights=list(acts.values()))[0]
            self.acts[act.__name__] += 1
            act()
        else:
            self.stack.deliver(self._dice.choice(list(CONSUMERS)))
        if self._dice.random() < 0.2:
            self.stack.tick()
        self._pushing.doubt_the_old()
        self.stack.sweep_if_due()

    def _acts(self) -> dict[Callable[[], None], float]:
        """How often each, beside the others."""
        pushing, measuring = self._pushing, self._measuring
        return {
            pushing.push: 20,
            pushing.push_again: 4,
            pushing.call_model: 12,
            pushing.delete: 6,
            pushing.tag: 5,
            pushing.policy: 1,
            pushing.read: 6,
            pushing.poison: 0.5,
            measuring.run_inline: 5,
            measuring.run_of_file: 3,
            measuring.run_of_stored: 4,
            measuring.cancel_run: 2,
            measuring.delete_run: 2,
            measuring.delete_eval: 1,
            measuring.delete_file: 1,
            measuring.distil: 4,
            measuring.decide: 4,
        }

    def _rest(self) -> None:
        """Everything ends, and what is blocked is approved or cancelled."""
        self.stack.settle()
        self._measuring.start_all()
        self.stack.settle()
        while self._measuring.end_blocked():
            self.stack.settle()
        self._pushing.doubt_the_old()
        self.stack.clock.pass_s(3601)
        self.stack.sweep()

    def _delete_everything(self, model: Model) -> None:
        """By a retention policy; an hour later nothing of it lies in the batch objects either."""
        for completion in model.of_fate("kept", "either"):
            if completion.odd:
                # Some claim to be of a far year.
                assert self.stack.ask("DELETE", path_of(completion.id))[0] in {200, 404}
        self.stack.ok("POST", "/v1/retention_policies", {"retention_days": 1, "all": True})
        self.stack.clock.pass_s(2 * A_DAY_S)
        self.stack.sweep()
        assert self.stack.ok("GET", "/v1/chat/completions?limit=1")["data"] == []
        assert not self.stack.ok("GET", "/v1/exports/completions")
        self.stack.clock.pass_s(3601)
        self.stack.sweep()
        s3 = aws_client("s3")
        for entry in s3.list_objects_v2(Bucket="bucket", Prefix="completions/").get("Contents", []):
            body = s3.get_object(Bucket="bucket", Key=entry["Key"])["Body"].read()
            assert frames.unpack(body, entry["Key"]) == [], entry["Key"]
