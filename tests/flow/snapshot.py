"""Everything that moto's AWS holds for the system, taken at one moment and put back at another.

A snapshot may be put back into another deployment: names and URLs are the same in each. Only what the services write is
in it: rows, objects, messages and the state of the clock's rule.
"""

from __future__ import annotations

import base64
import copy
import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from backports import zstd
from moto.core import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.events.models import events_backends
from moto.s3.models import FakeKey, s3_backends
from moto.sqs.models import sqs_backends

from tests.flow.system import RULE, System

_REGION = "us-east-1"
_ZSTD = b"\x28\xb5\x2f\xfd"
# What differs between two runs from one state: ids that we or the lab draw, latencies and times in all their forms, and
# so the length and the hash of what holds them.
_ASKED = "ASKED"
"""When a model was last asked: noted if it can be, and at most once in ten minutes by a process."""
_DRAWN = re.compile(
    r"\b(evt_)?01[0-9A-HJKMNP-TV-Z]{24}\b|chatcmpl-\w{24}|latency_(?:p\d\d_)?ms\W+(N\W+)?\d+|latencies_ms\W+[\d,]*|\b\d{10}(\d{3})?\b"
    r"|\d{4}-\d\d-\d\dT[\d:.]+Z|\"size\": \d+, \"eTag\": \"\w+\""
)


@dataclass(frozen=True)
class Snapshot:
    """Copies of moto's own objects."""

    rows: Any
    objects: dict[str, list[dict[str, Any]]]
    messages: dict[str, list[Any]]
    clock: str

    @cached_property
    def comparable(self) -> dict[str, Any]:
        """What is the same in two runs from one state."""
        return _comparable(self)


def taken(system: System) -> Snapshot:
    keys = _bucket(system).keys
    return Snapshot(
        rows=copy.deepcopy(_table(system).items),
        objects={key: [version.__getstate__() for version in keys.getlist(key)] for key in keys},
        messages={name: [copy.copy(message) for message in queue._messages] for name, queue in _queues().items()},
        clock=_rule().state,
    )


def put_back(system: System, snapshot: Snapshot) -> None:
    _table(system).items = copy.deepcopy(snapshot.rows)
    keys = _bucket(system).keys
    for key in list(keys):
        keys.pop(key)
    for key, versions in snapshot.objects.items():
        keys.setlist(key, [_object(state) for state in versions])
    for name, queue in _queues().items():
        queue._messages = [copy.copy(message) for message in snapshot.messages[name]]
    _rule().state = snapshot.clock


def differences(first: Snapshot, other: Snapshot) -> dict[str, tuple[Any, Any]]:
    """What stands otherwise in the other. A message may be there twice, a lease may still have to run out."""
    here, there = first.comparable, other.comparable
    return {
        key: (here.get(key), there.get(key)) for key in here.keys() | there.keys() if here.get(key) != there.get(key)
    }


def _comparable(snapshot: Snapshot) -> dict[str, Any]:
    rows = [row.attrs for partition in snapshot.rows.values() for row in partition.values()]
    rows = [row for row in rows if not row["sk"].value.startswith("LEASE#") and row["pk"].value != _ASKED]
    return {
        **{_without_drawn(f"row {row['pk'].value} {row['sk'].value}"): _attributes(row) for row in rows},
        # Lines come in the order in which a model answered.
        **{
            _without_drawn(f"object {key}"): sorted(_without_drawn(_text(versions[-1]["value"])).splitlines())
            for key, versions in snapshot.objects.items()
        },
        **{
            f"queue {name}": {_without_drawn(message.body) for message in messages}
            for name, messages in snapshot.messages.items()
        },
        "clock": snapshot.clock,
    }


def _attributes(row: dict[str, Any]) -> str:
    values = {name: value.to_json() for name, value in row.items()}
    binary = {name: _text(base64.b64decode(value["B"])) for name, value in values.items() if "B" in value}
    return _without_drawn(json.dumps({**values, **binary}))


def _text(content: bytes) -> str:
    return (zstd.decompress(content) if content.startswith(_ZSTD) else content).decode(errors="backslashreplace")


def _without_drawn(text: str) -> str:
    return _DRAWN.sub("#", text)


def _object(state: dict[str, Any]) -> FakeKey:
    made = FakeKey.__new__(FakeKey)
    made.__setstate__(dict(state))
    return made


def _table(system: System) -> Any:
    return dynamodb_backends[DEFAULT_ACCOUNT_ID][_REGION].tables[system.table]


def _bucket(system: System) -> Any:
    return s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[system.bucket]


def _queues() -> dict[str, Any]:
    return dict(sqs_backends[DEFAULT_ACCOUNT_ID][_REGION].queues)


def _rule() -> Any:
    return events_backends[DEFAULT_ACCOUNT_ID][_REGION].event_buses["default"].rules[RULE]
