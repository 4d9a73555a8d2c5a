"""Completions are pushed while the recorder dies, its queue repeats and regroups, DynamoDB and S3 throttle.

Whatever was acknowledged is there in the end, once, byte for byte. There are 2,000 of them, 20,000 with `--soak`.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from itertools import count
from random import Random
from typing import Any, NamedTuple

import orjson
import pytest
from backports import zstd

from completions import frames
from foundation.ids import now, now_ms
from retention import repair
from tests.conftest import Context
from tests.flow.event_source import EventSource
from tests.flow.system import SWEEP, System
from tests.flow.throttling import Throttling

START = 1_790_000_000
A_SECOND = 10
PATIENCE = 20
APPS = ("mail", "chat", "search")
LETTERS = 'aäß€漢🙂 "\\\n\t\u2028\x7f0.,'
PACKED = {None: bytes, "gzip": gzip.compress, "zstd": zstd.compress}


class Load(NamedTuple):
    """How many bodies there are of each size, and the share of the largest that do not fit a message."""

    sizes: dict[int, int]
    heavy: float

    @property
    def completions(self) -> int:
        return sum(size * count for size, count in self.sizes.items())


SHORT = Load({400: 3, 20: 30, 1: 200}, heavy=0.5)
WHOLE = Load({400: 36, 20: 260, 1: 400}, heavy=0.1)


class Push(NamedTuple):
    """A body, its encoding, and the records in it."""

    body: bytes
    encoding: str | None
    records: list[dict[str, Any]]


def pushes(load: Load, dice: Random) -> list[Push]:
    """Bodies of all sizes, plain and packed, some of them late; some come twice, as where an answer was lost."""
    sizes = [size for size, count in load.sizes.items() for _ in range(count)]
    dice.shuffle(sizes)
    numbers = count()
    made = []
    for size in sizes:
        # What does not fit a message goes by way of S3.
        noise = 3_000 if size == 400 and dice.random() < load.heavy else 0
        records = [record(next(numbers), dice, noise) for _ in range(size)]
        encoding = dice.choice([None, None, "gzip", "zstd"])
        made.append(Push(PACKED[encoding](b"\n".join(map(orjson.dumps, records))), encoding, records))
    late = [made.pop(dice.randrange(len(made))) for _ in range(len(made) // 20)]
    for push in [*late, *dice.sample(made, len(made) // 20)]:
        made.insert(dice.randrange(len(made)), push)
    return made


def record(number: int, dice: Random, noise: int) -> dict[str, Any]:
    """A completion in the order of fields in which an export gives it; one in ten has no id of its own."""
    text = "".join(dice.choices(LETTERS, k=40)) + dice.randbytes(noise // 2).hex()
    created = START + number // A_SECOND
    answered = {
        "object": "chat.completion",
        "id": f"chatcmpl-{number:05d}",
        "created": created,
        "model": "big-model-2026",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": number, "completion_tokens": 1, "total_tokens": number + 1},
    }
    if number % 10 == 0:
        del answered["id"]
    return {
        "request": {
            "model": "big-model",
            "messages": [{"role": "user", "content": f"{number} {text[::-1]}"}],
            "t": 0.1,
        },
        "response": answered,
        "metadata": {"app": APPS[number % 3], "team": str(number % 2)},
        "reference": {"right": [text[:7], None, 1.5e-7, number]},
        "created": created,
        "latency_ms": number,
        "provider": "acme",
    }


class Pushed:
    """What was acknowledged: the line of each completion by its id, and the batches."""

    def __init__(self) -> None:
        self.lines: dict[str, bytes] = {}
        self.batches: list[str] = []
        self.refusals = 0

    def push(self, system: System, push: Push) -> None:
        """Push until it is acknowledged."""
        headers = {"content-encoding": push.encoding} if push.encoding else {}
        for _ in range(PATIENCE):
            status, answer = system.call("POST", "/v1/captures", push.body, headers=headers)
            if status < 500:
                break
            self.refusals += 1
        assert (status, answer["refused"], answer["renamed"]) == (202, [], []), answer
        self.batches.append(answer["batch_id"])
        for completion_id, given in zip(answer["ids"], push.records, strict=True):
            named = {**given, "response": {**given["response"], "id": completion_id}}
            assert self.lines.setdefault(completion_id, orjson.dumps(named)) == orjson.dumps(named)


def exported(system: System) -> Iterator[bytes]:
    after = ""
    while True:
        status, body = system.call("GET", f"/v1/exports/completions?{after}")
        assert status == 200
        yield from body.encode().split(b"\n")[:-1]
        if not (last := system.headers.get("x-stillhouse-after")):
            return
        after = f"after={last}"


def listed(system: System, query: str) -> Iterator[dict[str, Any]]:
    after = ""
    while True:
        page = system.ok("GET", f"/v1/chat/completions?limit=100&{query}{after}")
        yield from page["data"]
        if not page["has_more"]:
            return
        after = f"&after={page['last_id']}"


def in_order(lines: dict[str, bytes]) -> dict[str, dict[str, Any]]:
    records = {name: orjson.loads(line) for name, line in lines.items()}
    return dict(sorted(records.items(), key=lambda record: (record[1]["created"], record[0])))


def check_lists(system: System, expected: dict[str, dict[str, Any]]) -> None:
    completions = list(listed(system, "order=asc"))
    assert [finding["id"] for finding in completions] == list(expected)
    for completion in completions:
        given = expected[completion["id"]]
        assert [choice["message"]["content"] for choice in completion["choices"]] == [
            choice["message"]["content"] for choice in given["response"]["choices"]
        ]
        assert {name: completion[name] for name in ("usage", "created")} == {
            name: given["response"][name] for name in ("usage", "created")
        }
        beside = ("metadata", "reference", "latency_ms")
        assert {name: completion[name] for name in beside} == {name: given[name] for name in beside}
    tagged = {name for name, record in expected.items() if record["metadata"] == {"app": "mail", "team": "1"}}
    newest_first = [record["id"] for record in listed(system, "metadata[app]=mail&metadata[team]=1&order=desc")]
    assert newest_first == [name for name in reversed(expected) if name in tagged]


def check_ids(system: System, expected: dict[str, dict[str, Any]], sample: list[str]) -> None:
    for name in sample:
        completion = system.ok("GET", f"/v1/chat/completions/{name}")
        given = expected[name]
        assert completion["choices"][0]["message"]["content"] == given["response"]["choices"][0]["message"]["content"]
        [message] = system.ok("GET", f"/v1/chat/completions/{name}/messages")["data"]
        assert message["content"] == given["request"]["messages"][0]["content"]


def sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hourly one, two hours later."""
    with monkeypatch.context() as patch:
        patch.setattr(repair, "now_ms", lambda: (now() + 7200) * 1000)
        SWEEP({}, Context(left_ms=900_000))


@pytest.mark.soak
@pytest.mark.usefixtures("fresh_clients")
@pytest.mark.parametrize("seed", [1])
def test_what_is_acknowledged_is_found_once_and_unchanged(
    seed: int, soak: bool, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = WHOLE if soak else SHORT
    dice = Random(seed)
    throttling = Throttling(seed, monkeypatch)
    source = EventSource(seed, system, throttling, monkeypatch)
    pushed = Pushed()
    for push in pushes(load, dice):
        pushed.push(system, push)
        if dice.random() < 0.05:
            source.deliver()
    source.drain()
    throttling.on = False

    assert len(pushed.lines) == load.completions
    assert system.dead("RECORD") == []
    states = {system.ok("GET", f"/v1/captures/{batch}")["status"] for batch in pushed.batches}
    assert states == {"recorded"}
    assert sorted(exported(system)) == sorted(pushed.lines.values())
    expected = in_order(pushed.lines)
    check_lists(system, expected)
    check_ids(system, expected, dice.sample(list(expected), 100))
    [used] = system.ok("GET", "/v1/usage")["data"]
    assert (used["completions"], used["prompt_tokens"]) == (load.completions, sum(range(load.completions)))

    assert frames.unfinished(before_ms=now_ms() + 1), "no recorder died between an object and its rows"
    sweep(monkeypatch)
    assert frames.unfinished(before_ms=now_ms() + 1) == []
    assert sorted(exported(system)) == sorted(pushed.lines.values())

    assert all(throttling.counts[service] for service in ("dynamodb", "s3", "unprocessed"))
    assert min(source.kills, source.repeats, source.failures, pushed.refusals) > 0
