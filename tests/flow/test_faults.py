"""The flow survives: any call to AWS or to a provider may fail, before or after its effect, any message may come twice.

For every n, a hook raises before, and separately after, the n-th call that a consumer makes for a message; then the
message is delivered again, undisturbed. One flow disturbs every message of every consumer once, at the same n.
The end state must be that of the undisturbed run, with one job started.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import botocore.client
import httpx
import pytest
from botocore.exceptions import EndpointConnectionError

from providers.openai_compatible import OpenAICompatible
from tests.flow import loop
from tests.flow.system import System
from tuning.trainers.openai_compatible import OpenAITrainer
from tuning.trainers.trainer import TrainerAway

# Enough for the longest consumer: `expected` fails where it is not.
CALLS = range(1, 56)


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
        patch.setattr(OpenAICompatible, "_ask", call_model)
        for name in ("find", "start", "look", "_upload"):
            patch.setattr(OpenAITrainer, name, of_trainer(getattr(OpenAITrainer, name)))
        yield


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
    told = {(one["type"], one["id"]) for one in system.told()}
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
        "completions": [one["id"].replace(tag, "tag") for one in listed["data"]],
        "jobs_at_the_trainer": len(jobs["data"]),
        "dataset": {k: v for k, v in _card(system, ended).items() if k in {"rows", "train_rows", "dropped"}},
        "verdict": {k: ended["verdict"][k] for k in ("outcome", "rows", "won", "lost", "gain", "interval", "p_value")},
        "told": sorted(kind for kind, _ in told),
        "lineage": sorted({node["kind"] for node in lineage["nodes"]}),
        "dead": {name: len(system.dead(name)) for name in system.queues},
        "clock": system.clock_runs(),
    }


def _card(system: System, ended: dict[str, Any]) -> dict[str, Any]:
    card: dict[str, Any] = system.ok("GET", f"/v1/datasets/{ended['dataset_id']}/card")
    return card


@pytest.fixture(scope="session")
def undisturbed() -> dict[str, Any]:
    return {}


def expected(system: System, undisturbed: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    if not undisturbed:
        counting = Hook(0, "never")
        system.around = counting.around
        with injected(counting, monkeypatch):
            undisturbed.update(run_loop(system, "calm"))
        assert undisturbed["jobs_at_the_trainer"] == 1
        assert not any(undisturbed["dead"].values())
        assert max(counting.counts.values()) < CALLS.stop, counting.counts
    return undisturbed


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("n", CALLS)
def test_a_failed_call_changes_nothing_in_the_end(
    n: int, when: str, system: System, undisturbed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    calm = expected(system, undisturbed, monkeypatch)
    hook = Hook(n, when)
    system.around = hook.around
    with injected(hook, monkeypatch):
        assert run_loop(system, f"{when}{n}") == calm


def test_every_message_twice_changes_nothing(
    system: System, undisturbed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    calm = expected(system, undisturbed, monkeypatch)
    system.doubled = True
    assert run_loop(system, "twice") == calm


def test_a_poison_message_lands_alone_in_the_dead_letters(system: System) -> None:
    good = json.dumps([loop.record(number, split="train", tag="poison") for number in range(3)]).encode()
    answer = system.ok("POST", "/v1/captures", good)
    boto3.client("sqs").send_message(QueueUrl=system.queues["RECORD"], MessageBody='{"type": "RecordCompletions"}')
    for _ in range(8):
        system.deliver("RECORD")
    assert system.ok("GET", f"/v1/captures/{answer['batch_id']}")["status"] == "recorded"
    assert system.dead("RECORD") == ['{"type": "RecordCompletions"}']
