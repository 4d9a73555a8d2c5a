"""The flow survives: any call to AWS or to a provider may fail, before or after its effect, any message may come twice.

For every n, a hook raises before, and separately after, the n-th call that a consumer makes for a message; then the
message is delivered again, undisturbed.

Up to `MOST_IN_A_FLOW`, one flow disturbs every message of every consumer once, at the same n; the end state must be
that of the undisturbed flow, with one job started. Few messages have more calls than that. Each of those is disturbed
alone, from the state in which it waited in the undisturbed flow, the trainer's included, and must leave the state that
it left there, with as many jobs: from the same state the flow comes to the same end.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Self

import httpx
import pytest

from distillations.job import Job
from foundation.message import BACK
from tests.cloud import aws_client
from tests.flow import lab_moment, loop
from tests.flow.faults import Hook, injected
from tests.flow.lab_moment import LabMoment
from tests.flow.snapshot import Snapshot, differences, put_back, taken
from tests.flow.system import A_MINUTE_MS, CONSUMERS, VISIBILITY_MS, System
from tuning import pause

# Enough for the longest consumer: `calm` fails where it is not.
CALLS = range(1, 56)
# More than a delivery to people has, which counts its attempts.
MOST_IN_A_FLOW = 7


def run_loop(system: System, tag: str) -> dict[str, Any]:
    """Capture, distil, approve if blocked; the state at the end, without names and times that differ by run."""
    pushed = [loop.record(number, split="train", tag=tag) for number in range(24)]
    pushed += [loop.record(1000 + number, split="test", tag=tag) for number in range(6)]
    answer = system.ok("POST", "/v1/captures", pushed)
    system.settle()
    assert system.ok("GET", f"/v1/captures/{answer['batch_id']}")["status"] == "recorded"
    started = loop.distill(system, tag)
    system.settle()
    if loop.fetched(system, started["id"])["status"] == "blocked":
        system.ok("POST", f"/v1/distillations/{started['id']}/approve")
        system.settle()
    return end_state(system, started["id"], tag)


def end_state(system: System, distillation_id: str, tag: str) -> dict[str, Any]:
    ended = loop.fetched(system, distillation_id)
    assert ended["status"] == "completed", (ended["status"], ended["error"])
    runs = {
        role: system.ok("GET", f"/v1/evals/{ended['eval_id']}/runs/{run_id}") for role, run_id in ended["runs"].items()
    }
    listed = system.ok("GET", f"/v1/chat/completions?metadata[tag]={tag}&limit=100")
    jobs = httpx.get(f"{system.lab}/v1/fine_tuning/jobs?metadata[stillhouse_intent]={ended['job_id']}").json()
    notices = {(notice["type"], notice["id"]) for notice in system.notifications()}
    lineage = system.ok("GET", f"/v1/lineage/chatcmpl-{tag}-3")
    return {
        "steps": [step["status"] for step in ended["history"]],
        "counts": {role: run["result_counts"] for role, run in runs.items()},
        "usage": {
            role: [{k: v for k, v in used.items() if k != "model_name"} for used in run["per_model_usage"]]
            for role, run in runs.items()
        },
        "items": {
            role: [
                item["status"]
                for item in system.ok("GET", f"/v1/evals/{ended['eval_id']}/runs/{run_id}/output_items")["data"]
            ]
            for role, run_id in ended["runs"].items()
        },
        "completions": [completion["id"].replace(tag, "tag") for completion in listed["data"]],
        "jobs_at_the_trainer": len(jobs["data"]),
        "dataset": {k: v for k, v in _card(system, ended).items() if k in {"rows", "train_rows", "dropped"}},
        "verdict": {k: ended["verdict"][k] for k in ("outcome", "rows", "won", "lost", "gain", "interval", "p_value")},
        "told": sorted(kind for kind, _ in notices),
        "lineage": sorted({node["kind"] for node in lineage["nodes"]}),
        "dead": {name: len(system.dead(name)) for name in system.queues},
        "clock": system.clock_runs(),
    }


def _card(system: System, ended: dict[str, Any]) -> dict[str, Any]:
    card: dict[str, Any] = system.ok("GET", f"/v1/datasets/{ended['dataset_id']}/card")
    return card


class Moment(NamedTuple):
    """What AWS, the trainer and the clock were like."""

    here: Snapshot
    lab: LabMoment
    passed_ms: int

    @classmethod
    def taken(cls, system: System) -> Self:
        return cls(taken(system), lab_moment.taken(system), system.passed_ms)

    def put_back(self, system: System) -> None:
        put_back(system, self.here)
        lab_moment.put_back(system, self.lab)
        system.passed_ms = self.passed_ms

    def differences(self, calm: Moment) -> dict[str, Any]:
        """What stands otherwise where nothing was disturbed.

        That may lack here by which an eval's other chunks find an answer: where it could not be written, they ask. And
        it may have been counted here how often a message was put back.
        """
        found = differences(self.here, calm.here)
        paid = self.lab.paid_for(), calm.lab.paid_for()
        return {
            **{key: (here, there) for key, (here, there) in found.items() if not _may_differ(key, here, there)},
            **({} if paid[0] == paid[1] else {"paid for": paid}),
        }


def _may_differ(key: str, here: Any, there: Any) -> bool:
    return (here is None and key.startswith("row CALL#")) or (there is None and f" {BACK}" in key)


class Waiting(NamedTuple):
    """A message of the undisturbed flow, with the state before and after its delivery."""

    deliver: partial[Any]
    calls: int
    before: Moment
    after: Moment

    def was_put_back(self, system: System) -> str:
        """The queue in which it waits in another form, as where the trainer was away; empty if there is none."""
        for name, consumer in CONSUMERS.items():
            if consumer is self.deliver.func:
                waited = {message.id for message in self.before.here.messages[name]}
                waits = {message.id for message in taken(system).messages[name]}
                return name if waits - waited else ""
        return ""


class Calm:
    """The undisturbed flow: its end, and its messages of more calls than a flow is struck at."""

    def __init__(self) -> None:
        self.end: dict[str, Any] = {}
        self.long: list[Waiting] = []

    def run(self, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
        counting = Hook(0, "never")

        def around(message: str, call: partial[Any]) -> Any:
            before = Moment.taken(system)
            answer = counting.around(message, call)
            if counting.counts[message] > MOST_IN_A_FLOW:
                self.long.append(Waiting(call, counting.counts[message], before, Moment.taken(system)))
            return answer

        undisturbed, system.around = system.around, around
        empty = Moment.taken(system)
        with injected(counting, monkeypatch):
            self.end = run_loop(system, "calm")
        system.around = undisturbed
        empty.put_back(system)
        assert self.end["jobs_at_the_trainer"] == 1
        assert not any(self.end["dead"].values())
        assert max(counting.counts.values()) < CALLS.stop, counting.counts


@pytest.fixture(scope="session")
def flow_of_this_process() -> Calm:
    return Calm()


@pytest.fixture
def calm(flow_of_this_process: Calm, system: System, monkeypatch: pytest.MonkeyPatch) -> Calm:
    if not flow_of_this_process.end:
        flow_of_this_process.run(system, monkeypatch)
    return flow_of_this_process


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("n", [n for n in CALLS if n <= MOST_IN_A_FLOW])
def test_a_failed_call_changes_nothing_in_the_end(
    n: int, when: str, calm: Calm, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = Hook(n, when)
    system.around = hook.around
    with injected(hook, monkeypatch):
        assert run_loop(system, f"{when}{n}") == calm.end


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("n", [n for n in CALLS if n > MOST_IN_A_FLOW])
def test_a_failed_call_of_a_long_message_changes_nothing_that_it_leaves(
    n: int, when: str, calm: Calm, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    for message in calm.long:
        if message.calls < n:
            continue
        message.before.put_back(system)
        hook = Hook(n, when)
        with injected(hook, monkeypatch):
            answer = hook.around("message", message.deliver)
            if answer and answer["batchItemFailures"]:
                system.passed_ms += VISIBILITY_MS
                assert hook.around("message", message.deliver)["batchItemFailures"] == []
            elif answer is None:
                until_the_clock_stops(system, hook, message.deliver)
            elif queue := message.was_put_back(system):
                system.deliver(queue)
                # As the next look at the job does.
                for job in Job.every():
                    pause.go_on(job)
        assert hook.struck
        assert not Moment.taken(system).differences(message.after)


def until_the_clock_stops(system: System, hook: Hook, deliver: Callable[[], Any]) -> None:
    """Tick while the clock runs: a lease that could not be given back runs out after two minutes."""
    for _ in range(4):
        if system.clock_runs():
            system.passed_ms += A_MINUTE_MS
            hook.around("message", deliver)


def test_every_message_twice_changes_nothing(calm: Calm, system: System) -> None:
    system.doubled = True
    assert run_loop(system, "twice") == calm.end


def test_a_poison_message_lands_alone_in_the_dead_letters(system: System) -> None:
    good = json.dumps([loop.record(number, split="train", tag="poison") for number in range(3)]).encode()
    answer = system.ok("POST", "/v1/captures", good)
    aws_client("sqs").send_message(QueueUrl=system.queues["RECORD"], MessageBody='{"type": "RecordCompletions"}')
    for _ in range(8):
        system.deliver("RECORD")
    assert system.ok("GET", f"/v1/captures/{answer['batch_id']}")["status"] == "recorded"
    assert system.dead("RECORD") == ['{"type": "RecordCompletions"}']
