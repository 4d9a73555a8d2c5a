"""Functions of the loop are killed once, with SIGKILL, while they have a message in hand: the loop still ends right.

All of them with `--soak`; else those that write what is asked of others: the graders, the one that trains, the watcher.

A poison message goes in beside it, and ends alone in its dead-letter queue.
"""

from __future__ import annotations

import os
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from local.stack.info import StackInfo
from tests.flow import loop
from tests.stack import api

QUEUED = ("Record", "Plan", "Grade", "Distilling", "Assembly", "Tuning", "Verdict")
WATCH = "TuningWatch"
SOME = {"Grade", "Tuning", WATCH}
TIMEOUT_S, VISIBILITY_S = 8, 13
POISONED_VISIBILITY_S = 6
"""The poison is delivered six times before it is a dead letter: for so long the test would wait."""
LOOK_S = 0.1
PATIENCE_S = 300
POISON = '{"type": "RecordCompletions", "batch_id": "poison"}'


@pytest.fixture
def hasty(stack: StackInfo, soak: bool) -> Iterator[StackInfo]:
    """Redelivery after seconds instead of half a minute; the leases follow the functions' time limit.

    A function with another time limit starts anew, so that only those are changed that are killed.
    """
    functions, sqs = boto3.client("lambda", **api.aws(stack)), boto3.client("sqs", **api.aws(stack))
    names = QUEUED if soak else tuple(SOME & set(QUEUED))
    limits: dict[str, tuple[int | None, int]] = dict.fromkeys(names, (TIMEOUT_S, VISIBILITY_S))
    if not soak:
        limits["Record"] = None, POISONED_VISIBILITY_S
    before = {name: _limits((functions, sqs), stack, name) for name in limits}
    for name, limit in limits.items():
        _limit((functions, sqs), stack, name, limit)
    yield stack
    for name, (timeout, visibility) in before.items():
        _limit((functions, sqs), stack, name, (timeout if limits[name][0] else None, visibility))


@pytest.mark.soak
def test_the_loop_survives_a_kill_of_every_function(hasty: StackInfo, soak: bool) -> None:
    stack, tag = hasty, uuid.uuid4().hex
    victims = {*QUEUED, WATCH} if soak else SOME
    killer = Killer(stack, victims)
    boto3.client("sqs", **api.aws(stack)).send_message(QueueUrl=_queue(stack, "Record"), MessageBody=POISON)
    killer.start()
    try:
        client = api.client(stack)
        pushed = client.post("/captures", body=_records(tag), cast_to=object)
        _until(lambda: api.fetch(stack, f"/captures/{pushed['batch_id']}")["status"] == "recorded")  # type: ignore[index]
        started = client.post("/distillations", body=_distillation(stack, tag), cast_to=object)
        ended = _ended(stack, started["id"])  # type: ignore[index]
    finally:
        killer.stop()

    assert killer.killed == victims
    assert ended["status"] == "completed", ended["error"]
    assert ended["verdict"]["rows"] == 60
    for run_id in ended["runs"].values():
        run = client.evals.runs.retrieve(run_id, eval_id=ended["eval_id"])
        assert (run.result_counts.total, run.result_counts.errored) == (60, 0)
    jobs = httpx.get(
        f"{stack.lab_url}/fine_tuning/jobs", params={"metadata[stillhouse_intent]": ended["job_id"]}
    ).json()
    assert len(jobs["data"]) == 1
    lines = [line for line in Path(stack.notifications).read_text().splitlines() if ended["verdict"]["id"] in line]
    assert lines
    sqs = boto3.client("sqs", **api.aws(stack))
    _until(lambda: POISON in _dead_letters(stack, sqs))
    assert _dead_letters(stack, sqs) == [POISON]


class Killer(threading.Thread):
    """Kills the workers of these functions once, each at a moment when its queue has a message in flight."""

    def __init__(self, stack: StackInfo, victims: set[str]) -> None:
        super().__init__(daemon=True)
        self.stack, self.victims = stack, victims
        self.killed: set[str] = set()
        self._sqs = boto3.client("sqs", **api.aws(stack))
        self._over = threading.Event()
        for name in victims:  # cold workers take long enough to be met at work
            self._kill(name)

    def run(self) -> None:
        while not self._over.wait(LOOK_S):
            for name in self.victims - self.killed:
                if self._at_work(name) and self._kill(name):
                    self.killed.add(name)

    def stop(self) -> None:
        self._over.set()
        self.join()

    def _at_work(self, name: str) -> bool:
        if name == WATCH:
            return True
        attributes = self._sqs.get_queue_attributes(
            QueueUrl=_queue(self.stack, name), AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
        )["Attributes"]
        return attributes["ApproximateNumberOfMessagesNotVisible"] != "0"

    def _kill(self, name: str) -> int:
        function = f"-{self.stack.resources[f'{name}Function']}-"
        victims = [pid for pid in _processes() if function in _command(pid)]
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        return len(victims)


def _processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _queue(stack: StackInfo, function: str) -> str:
    return stack.resources[f"{function}Queue"]


def _limits(clients: Any, stack: StackInfo, name: str) -> tuple[int, int]:
    """How many seconds a function has, and how many its queue hides a message for."""
    functions, sqs = clients
    timeout = functions.get_function_configuration(FunctionName=stack.resources[f"{name}Function"])["Timeout"]
    attributes = sqs.get_queue_attributes(QueueUrl=_queue(stack, name), AttributeNames=["VisibilityTimeout"])
    return timeout, int(attributes["Attributes"]["VisibilityTimeout"])


def _limit(clients: Any, stack: StackInfo, name: str, limit: tuple[int | None, int]) -> None:
    """Set both; no timeout leaves the function as it is."""
    functions, sqs = clients
    timeout, visibility = limit
    if timeout:
        functions.update_function_configuration(FunctionName=stack.resources[f"{name}Function"], Timeout=timeout)
    sqs.set_queue_attributes(QueueUrl=_queue(stack, name), Attributes={"VisibilityTimeout": str(visibility)})


def _records(tag: str) -> list[dict[str, Any]]:
    train = [loop.record(number, split="train", tag=tag) for number in range(40)]
    return train + [loop.record(1000 + number, split="test", tag=tag) for number in range(60)]


def _distillation(stack: StackInfo, tag: str) -> dict[str, Any]:
    criterion = {
        "type": "string_check",
        "name": "correct",
        "input": "{{ sample.output_text }}",
        "reference": "{{ item.reference }}",
        "operation": "eq",
    }
    made = api.client(stack).evals.create(
        name=tag,
        data_source_config={"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True},
        testing_criteria=[criterion],  # type: ignore[list-item]
    )
    return {
        "name": f"kills {tag}",
        "eval_id": made.id,
        "test": loop.source("test", tag),
        "train": loop.source("train", tag),
        "teacher": loop.TEACHER,
        "student": loop.STUDENT,
        "gate": {"expected_gain": 0.9},
    }


def _ended(stack: StackInfo, distillation_id: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        state = api.fetch(stack, f"/distillations/{distillation_id}")
        if state["status"] == "blocked" and not state["approved_at"]:
            api.client(stack).post(f"/distillations/{distillation_id}/approve", cast_to=object)
        return state if state["status"] in {"completed", "failed", "cancelled"} else None

    ended: dict[str, Any] = _until(look)
    return ended


def _until(look: Any) -> Any:
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        answer = look()
        if answer:
            return answer
        time.sleep(0.5)
    raise AssertionError("nothing happened in time")


def _dead_letters(stack: StackInfo, sqs: Any) -> list[str]:
    urls = [url for name, url in stack.resources.items() if name.endswith("DeadLetters")]
    messages = [sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0) for url in urls]
    return [message["Body"] for answer in messages for message in answer.get("Messages", [])]
