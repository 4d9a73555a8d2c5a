"""Who is told of what, and when a distillation goes on."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from distillations.verdict import Verdict
from foundation import events
from foundation.errors import RetryLater
from foundation.message import Message
from notifying import deliver as delivering
from notifying.channels import CHANNELS
from notifying.notify import notify_verdict
from tests.distillations import documents
from tests.distilling import build
from tests.flow.system import System
from tests.notifying.stubs import Stub


def decided(status: str = "deciding", **fields: Any) -> Verdict:
    return build.verdict(build.distillation(status), **fields)


def send(system: System, message: Message) -> None:
    boto3.client("sqs").send_message(QueueUrl=system.queues["NOTIFY"], MessageBody=message.to_json())


def test_a_verdict_is_told_and_its_distillation_completes(system: System) -> None:
    verdict = decided()
    send(system, events.VerdictDecided(distillation_id=verdict.distillation_id))
    system.settle()
    [notices] = system.notifications()
    assert (notices["type"], notices["id"]) == ("verdict", verdict.id)
    assert Verdict.load(verdict.id).notified_at
    completed = system.ok("GET", f"/v1/distillations/{verdict.distillation_id}")
    assert (completed["status"], completed["verdict"]["id"]) == ("completed", verdict.id)


def test_a_redelivery_tells_nobody_again_and_keeps_the_time(system: System) -> None:
    verdict = decided(notified_at=None)
    notify_verdict(verdict.distillation_id)
    first = Verdict.load(verdict.id)
    first.change({"notified_at": 7})
    notify_verdict(verdict.distillation_id)
    assert len(system.notifications()) == 1
    assert Verdict.load(verdict.id).notified_at == 7
    # The message that has the distillation completed may have been lost with the first delivery.
    assert len(build.sent(system, "DISTILLING")) == 2


def test_a_crash_after_the_telling_may_tell_twice_under_one_id(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = decided()
    with monkeypatch.context() as patch:
        patch.setattr("notifying.deliver.table.put_new", lambda _: 1 / 0)
        with pytest.raises(RetryLater):
            notify_verdict(verdict.distillation_id)
    assert Verdict.load(verdict.id).notified_at is None
    notify_verdict(verdict.distillation_id)
    assert [notice["id"] for notice in system.notifications()] == [verdict.id] * 2


def test_a_cancelled_distillation_tells_no_verdict(system: System) -> None:
    verdict = decided("cancelled")
    notify_verdict(verdict.distillation_id)
    assert system.notifications() == []
    assert Verdict.load(verdict.id).notified_at is None


@pytest.mark.parametrize("fails", [True, False], ids=["raises", "is not taken"])
def test_a_channel_that_fails_holds_no_distillation_up_and_is_tried_again(
    fails: bool, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub = Stub(["a"], fails=fails, taking=[])
    monkeypatch.setattr(delivering, "CHANNELS", {"stub": stub, **CHANNELS})
    verdict = decided()
    with pytest.raises(RetryLater, match="stub"):
        notify_verdict(verdict.distillation_id)
    assert Verdict.load(verdict.id).notified_at
    assert build.sent(system, "DISTILLING")

    stub.fails, stub.taking = False, ["a"]
    notify_verdict(verdict.distillation_id)

    assert len(system.notifications()) == 1
    assert stub.sent[-1] == ["a"]


def test_with_no_channel_that_worked_the_distillation_waits(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "CHANNELS", {"stub": Stub(["a"], fails=True)})
    verdict = decided()
    with pytest.raises(RetryLater):
        notify_verdict(verdict.distillation_id)
    assert Verdict.load(verdict.id).notified_at is None
    assert build.sent(system, "DISTILLING") == []


def test_a_verdict_that_nobody_can_be_told_of_completes_its_distillation_after_the_last_attempt(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivering, "CHANNELS", {"stub": Stub(["a"], fails=True)})
    verdict = decided()
    send(system, events.VerdictDecided(distillation_id=verdict.distillation_id))
    system.settle()
    assert system.ok("GET", f"/v1/distillations/{verdict.distillation_id}")["status"] == "completed"
    assert len(system.dead("NOTIFY")) == 1


@pytest.mark.parametrize("kind", [events.DistillationBlocked, events.DistillationFailed])
def test_blocked_and_failed_are_told_once(kind: Any, system: System) -> None:
    status = "blocked" if kind is events.DistillationBlocked else "failed"
    distillation = build.distillation(
        status, plan=documents.plan(reasons=["Why."]), error={"code": "c", "message": "Why."}
    )
    for _ in range(2):
        send(system, kind(distillation_id=distillation.id))
    system.deliver("NOTIFY")
    [notices] = system.notifications()
    assert (notices["type"], notices["id"], notices["verdict"]) == (status, distillation.id, None)
    assert "Why." in notices["sentence"]


def test_a_message_for_another_goes_back(system: System) -> None:
    message = events.PlanRun(run_id="evalrun_1")
    send(system, message)
    for _ in range(7):
        system.deliver("NOTIFY")
    assert system.dead("NOTIFY") == [message.to_json()]
