"""Everything that moto's AWS holds for the system, taken at one moment and put back at another.

A snapshot may be put back into another deployment: names and URLs are the same in each. Only what the services write is
in it: rows, objects, messages and the state of the clock's rule.
"""

from __future__ import annotations

import base64
import copy
import json
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from backports import zstd
from moto.core import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import Item, LimitedSizeDict
from moto.events.models import events_backends
from moto.s3.models import FakeKey, s3_backends
from moto.sqs.models import Message, sqs_backends

from foundation.ids import now_ms
from tests.flow.system import RULE, System

_REGION = "us-east-1"
_ZSTD = b"\x28\xb5\x2f\xfd"
# What differs between two runs from one state: ids that we or the lab draw, latencies and times in all their forms, and
# so the length and the hash of what holds them.
_OF_PROVIDERS = frozenset({"ASKED", "PACE"})
"""When a model was last asked, noted if it can be, and at most once in ten minutes by a process; and what a provider
bore lately."""
_DRAWN = re.compile(
    r"\b(evt_)?01[0-9A-HJKMNP-TV-Z]{24}\b|(?:chatcmpl|ftjob|file)-\w{24}\b|latency_(?:p\d\d_)?ms\W+(N\W+)?\d+|latencies_ms\W+[\d,]*|\b\d{10}(\d{3})?\b"
    r"|\d{4}-\d\d-\d\dT[\d:.]+Z|\"size\": \d+, \"eTag\": \"\w+\""
)
_known: WeakKeyDictionary[FakeKey, Kept] = WeakKeyDictionary()
"""What is known of moto's objects of a bucket."""


class Kept:
    """An object of the bucket as it was put: nothing of it changes any more."""

    def __init__(self, state: dict[str, Any]) -> None:
        self.state = state

    @cached_property
    def lines(self) -> list[str]:
        """What is the same in two runs from one state, in any order: lines come in that in which a model answered."""
        return _without_drawn(_text(self.state["value"])).splitlines()


@dataclass(frozen=True)
class Snapshot:
    """Copies of moto's own objects. Values of rows and objects of the bucket, which never change, are shared."""

    rows: dict[Any, dict[Any, Item]]
    objects: dict[str, list[Kept]]
    messages: dict[str, list[Message]]
    clock: str
    at_ms: int

    @cached_property
    def comparable(self) -> dict[str, Any]:
        """What is the same in two runs from one state."""
        return _comparable(self)


def taken(system: System) -> Snapshot:
    keys = _bucket(system).keys
    return Snapshot(
        rows=_copied(_table(system).items),
        objects={key: [_kept(version) for version in keys.getlist(key)] for key in keys},
        messages={name: [copy.copy(message) for message in queue._messages] for name, queue in _queues().items()},
        clock=_rule().state,
        at_ms=now_ms(),
    )


def put_back(system: System, snapshot: Snapshot) -> None:
    _table(system).items = defaultdict(dict, _copied(snapshot.rows))
    keys = _bucket(system).keys
    there = {key: [_kept(version) for version in keys.getlist(key)] for key in keys}
    for key in there.keys() - snapshot.objects.keys():
        keys.pop(key)
    for key, versions in snapshot.objects.items():
        if there.get(key) != versions:
            keys.setlist(key, [_object(kept) for kept in versions])
    for name, queue in _queues().items():
        queue._messages = [_later(message, now_ms() - snapshot.at_ms) for message in snapshot.messages[name]]
    _rule().state = snapshot.clock


def differences(first: Snapshot, other: Snapshot) -> dict[str, tuple[Any, Any]]:
    """What stands otherwise in the other. A message may be there twice, a lease may still have to run out."""
    here, there = first.comparable, other.comparable
    return {
        key: (here.get(key), there.get(key)) for key in here.keys() | there.keys() if here.get(key) != there.get(key)
    }


def _comparable(snapshot: Snapshot) -> dict[str, Any]:
    rows = [row.attrs for partition in snapshot.rows.values() for row in partition.values()]
    rows = [row for row in rows if not row["sk"].value.startswith("LEASE#") and row["pk"].value not in _OF_PROVIDERS]
    # Parts of a whole have drawn names: a disturbed worker may have written what it had, and the next one the rest.
    lines: dict[str, list[str]] = {}
    for key, versions in snapshot.objects.items():
        lines.setdefault(_without_drawn(f"object {key}"), []).extend(versions[-1].lines)
    return {
        **{_without_drawn(f"row {row['pk'].value} {row['sk'].value}"): _attributes(row) for row in rows},
        **{key: sorted(together) for key, together in lines.items()},
        **{
            f"queue {name}": {_without_drawn(message.body) for message in messages}
            for name, messages in snapshot.messages.items()
        },
        "clock": snapshot.clock,
    }


def _attributes(row: dict[str, Any]) -> str:
    return _told(tuple((name, value.type, value.value) for name, value in row.items()))


@lru_cache(20_000)
def _told(attributes: tuple[tuple[str, str, Any], ...]) -> str:
    """The plain attributes of a row as text."""
    return _without_drawn(
        json.dumps({name: _bytes(value) if kind == "B" else value for name, kind, value in attributes})
    )


def _bytes(value: str | bytes) -> str:
    """The content of binary attribute, which moto has as it is or as base64."""
    return _text(value if isinstance(value, bytes) else base64.b64decode(value))


def _text(content: bytes) -> str:
    return (zstd.decompress(content) if content.startswith(_ZSTD) else content).decode(errors="backslashreplace")


@lru_cache(20_000)
def _without_drawn(text: str) -> str:
    return _DRAWN.sub("#", text)


def _copied(rows: dict[Any, dict[Any, Item]]) -> dict[Any, dict[Any, Item]]:
    return {pk: {sk: _copy(row) for sk, row in partition.items()} for pk, partition in rows.items()}


def _copy(row: Item) -> Item:
    """A row of the same values: an update puts other ones in their place."""
    made = Item.__new__(Item)
    made.hash_key, made.range_key, made.attrs = row.hash_key, row.range_key, LimitedSizeDict.__new__(LimitedSizeDict)
    dict.update(made.attrs, row.attrs)
    return made


def _later(message: Message, passed_ms: int) -> Message:
    """A message that is hidden for as long as it was to be hidden then."""
    made = copy.copy(message)
    made.visible_at += passed_ms
    made.delayed_until += passed_ms
    return made


def _kept(version: FakeKey) -> Kept:
    if version not in _known:
        _known[version] = Kept(version.__getstate__())
    return _known[version]


def _object(kept: Kept) -> FakeKey:
    made = FakeKey.__new__(FakeKey)
    made.__setstate__(dict(kept.state))
    _known[made] = kept
    return made


def _table(system: System) -> Any:
    return dynamodb_backends[DEFAULT_ACCOUNT_ID][_REGION].tables[system.table]


def _bucket(system: System) -> Any:
    return s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[system.bucket]


def _queues() -> dict[str, Any]:
    return dict(sqs_backends[DEFAULT_ACCOUNT_ID][_REGION].queues)


def _rule() -> Any:
    return events_backends[DEFAULT_ACCOUNT_ID][_REGION].event_buses["default"].rules[RULE]
