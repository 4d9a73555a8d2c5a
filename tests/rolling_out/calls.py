"""Calls of an alias as they are captured, and a rollout that takes them."""

from __future__ import annotations

from itertools import count
from typing import Any

import orjson

from aliases import changing
from aliases.changing import Said
from aliases.rolling_out import OPEN_ROLLOUTS
from completions import frames, index
from completions.completion import Completion
from evals.eval import Eval
from evals.own_rows import rows_key
from foundation import blobs, ids, table
from rollouts import clock
from rollouts.gates import Gates
from rollouts.judging import alpha_of
from rollouts.rollout import Rollout, Window
from rollouts.round import RolloutRound
from tests.aliases.build import routing
from tests.flow import loop
from tests.flow.system import System

STABLE, CANDIDATE, OTHER, NAME = "lab-judge", "lab-small", "lab-large", "quick-reply"
CREATED = 1_790_000_000
_NUMBERS = count()
RIGHT = {
    "type": "string_check",
    "name": "right",
    "id": "right",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.metadata.label }}",
    "operation": "eq",
}
"""Right is what the metadata of a call say."""


def begun(name: str = NAME, *, stable: str = STABLE, **fields: Any) -> Rollout:
    """A rollout that has begun and takes every call of its alias, but those about law."""
    at, number = ids.now(), name.encode().hex()
    before = routing((stable, 1), (OTHER, 1, {"topic": "legal"}))
    alias = changing.put(name, before, Said("first"))
    config = {"type": "custom", "schema": {}}
    eval_ = Eval(id=f"eval_{number}", created_at=at, name="online", data_source_config=config, testing_criteria=[RIGHT])
    eval_.create()
    gates = fields.pop("gates", Gates())
    given: dict[str, Any] = {
        "id": f"rollout_{number}",
        "created_at": CREATED,
        "alias": name,
        "alias_version": alias.version,
        "before": alias.routing,
        "stable": stable,
        "candidate": CANDIDATE,
        "eval_id": "eval_given",
        "online_eval_id": eval_.id,
        "share": 1.0,
        "max_usd": 5.0,
        "stages": [0, 10, 100],
        "gates": gates,
        "min_pairs": 5,
        "min_minutes": 0,
        "by": "first",
        "stage_since": at,
        "windows": [Window(stage=0, since=at, alpha=alpha_of(1, gates))],
    }
    made = Rollout(**{**given, **fields})
    table.put({"pk": OPEN_ROLLOUTS, "sk": name, "rollout_id": made.id, "at": at})
    made.create()
    clock.start()
    return Rollout.load(made.id)


def call(number: int, model: str = STABLE, *, answer: str | None = None, **fields: Any) -> dict[str, Any]:
    """A call that this model answered, rightly unless another answer is given."""
    record = loop.record(number, split="live", tag="live")
    record["request"]["model"] = record["response"]["model"] = model
    record["response"]["choices"][0]["message"]["content"] = answer or loop.LABELS[number % 3]
    del record["reference"]
    alias = {"name": NAME, "version": 1, "target": model}
    return {**record, "alias": alias, "metadata": {"label": loop.LABELS[number % 3]}, **fields}


def push(system: System, *calls: dict[str, Any]) -> None:
    """Capture these calls, and let everything come to rest."""
    system.ok("POST", "/v1/captures", list(calls))
    system.settle()


def landed(*calls: dict[str, object]) -> str:
    """The key of an object with these calls."""
    key = frames.key_of(f"2026/11/29/{next(_NUMBERS)}")
    lines = [Completion.of(record, at=CREATED).line() for record in calls]
    body, references = frames.together([frames.packed(line) for line in lines], key)
    blobs.put(key, body)
    table.write_all(index.rows(key, references))
    return key


def rows(rollout: Rollout) -> dict[tuple[str, bool], list[str]]:
    """The calls in the runs of all rounds, by the side that is graded and whether it is asked."""
    found: dict[tuple[str, bool], list[str]] = {}
    for round_ in RolloutRound.every(rollout.id):
        for part in round_.runs:
            lines = blobs.get(rows_key(part.run_id)).splitlines()
            ids_ = [orjson.loads(line)["item"]["completion_id"] for line in lines]
            found.setdefault((part.side, part.sampled), []).extend(ids_)
    return {name: sorted(ids_) for name, ids_ in found.items()}


def names(*numbers: int) -> list[str]:
    return sorted(f"chatcmpl-live-{number}" for number in numbers)
