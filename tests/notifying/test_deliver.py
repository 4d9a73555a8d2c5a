"""One notice through channels: each recipient once, each failure its own."""

from __future__ import annotations

from typing import Any

import pytest

from foundation import table
from foundation.errors import RetryLater
from notifying import deliver as delivering
from notifying.channels import Notice
from notifying.deliver import Deliveries, deliver
from tests.flow.system import System
from tests.notifying.stubs import Stub

NOTICE = Notice(
    id="evt_1",
    type="distillation.verdict",
    object_id="o",
    at=0,
    document={"a": 1},
    sentence="It does.",
    text="It does.",
)


@pytest.fixture
def channels(system: System, monkeypatch: pytest.MonkeyPatch) -> Any:  # noqa: ARG001
    def use(**stubs: Stub) -> None:
        monkeypatch.setattr(delivering, "CHANNELS", stubs)

    return use


def test_each_delivery_is_a_row_of_its_own(channels: Any) -> None:
    channels(one=Stub(["a", "b"]), two=Stub(["a"]))
    assert deliver(NOTICE) == Deliveries(["one#a", "one#b", "two#a"], [])
    rows = list(table.query("EVENT#evt_1"))
    assert [row["sk"] for row in rows] == ["one#a", "one#b", "two#a"]
    assert all(row["expires"] - row["at"] == 30 * 24 * 3600 for row in rows)


def test_a_redelivery_sends_to_those_alone_that_lack_it(channels: Any) -> None:
    stub, other = Stub(["a", "b"], taking=["b"]), Stub(["c"])
    channels(stub=stub, other=other)
    first = deliver(NOTICE)
    assert first == Deliveries(["stub#b", "other#c"], ["stub#a"])
    with pytest.raises(RetryLater, match="stub#a"):
        first.require_all()
    stub.taking = None
    again = deliver(NOTICE)
    again.require_all()
    assert sorted(again.done) == ["other#c", "stub#a", "stub#b"]
    assert (stub.sent, other.sent) == ([["a", "b"], ["a"]], [["c"]])


def test_a_channel_that_raises_leaves_the_others_alone(channels: Any) -> None:
    other = Stub(["c"])
    channels(broken=Stub(["a"], fails=True), other=other)
    assert deliver(NOTICE) == Deliveries(["other#c"], ["broken"])
    assert other.sent == [["c"]]


def test_another_notice_is_another_delivery(channels: Any) -> None:
    stub = Stub(["a"])
    channels(stub=stub)
    for notice_id in ("evt_1", "evt_2", "evt_2"):
        deliver(Notice(id=notice_id, type="t", object_id="o", at=0))
    assert stub.sent == [["a"], ["a"]]


def test_without_recipients_nothing_is_sent_and_nothing_is_missing(channels: Any) -> None:
    stub = Stub([])
    channels(stub=stub)
    assert deliver(NOTICE) == Deliveries([], [])
    assert stub.sent == []
