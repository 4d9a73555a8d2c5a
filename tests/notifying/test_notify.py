"""Who is told of what, and when a distillation goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest

from distillations.verdict import Verdict
from foundation import events
from foundation.message import Message
from notifications.channels import EMAIL
from notifications.notices import Delivery, Notice
from notifying import deliver as delivering
from notifying import notify
from notifying.channels import CHANNELS
from notifying.notify import notify_verdict
from tests.distillations import documents
from tests.distilling import build
from tests.flow.system import System
from tests.notifying.stubs import Stub, channel


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
    Verdict.load(verdict.id).change({"notified_at": 7})
    notify_verdict(verdict.distillation_id)
    # The message that has the distillation completed may have been lost with the first delivery.
    assert len(build.sent(system, "DISTILLING")) == 2
    system.settle()
    assert len(system.notifications()) == 1
    assert Verdict.load(verdict.id).notified_at == 7


def test_a_cancelled_distillation_tells_no_verdict(system: System) -> None:
    verdict = decided("cancelled")
    notify_verdict(verdict.distillation_id)
    assert system.notifications() == []
    assert Verdict.load(verdict.id).notified_at is None


def test_a_channel_that_fails_holds_no_distillation_up(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    stub = Stub(fails={EMAIL: ConnectionError("nobody there")})
    monkeypatch.setattr(delivering, "CHANNELS", {"email": stub})
    verdict = decided()
    send(system, events.VerdictDecided(distillation_id=verdict.distillation_id))
    system.settle()
    assert system.ok("GET", f"/v1/distillations/{verdict.distillation_id}")["status"] == "completed"
    assert len(stub.sent) == 1
    assert system.dead("NOTIFY") == []


def test_a_verdict_that_cannot_be_handed_over_completes_its_distillation_after_the_last_attempt(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "record", lambda _: 1 / 0)
    verdict = decided()
    send(system, events.VerdictDecided(distillation_id=verdict.distillation_id))
    system.settle()
    assert system.ok("GET", f"/v1/distillations/{verdict.distillation_id}")["status"] == "completed"
    assert len(system.dead("NOTIFY")) == 1


def test_the_end_of_a_run_is_told_in_words_to_who_asks(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Notice] = []
    monkeypatch.setattr(CHANNELS["slack"], "send", lambda notice, _: sent.append(notice))
    channel("channel_1", "eval.run.succeeded", "fine_tuning.job.failed", kind="slack")
    run = build.graded(build.distillation("deciding"), "teacher", "ppf")
    send(system, events.DeliverEvent(event_type="eval.run.succeeded", object_id=run.id))
    send(system, events.DeliverEvent(event_type="fine_tuning.job.failed", object_id="ftjob-1"))
    system.settle()
    first, second = sorted(sent, key=lambda notice: notice.type)
    assert first.sentence == f"The eval run {run.id} (teacher) has succeeded."
    assert first.lines == ["2 passed, 1 failed, 0 errored of 3 rows"]
    assert first.url == f"https://api.test/evals/{run.eval_id}/runs/{run.id}"
    assert (second.sentence, second.url) == ("The fine-tuning job ftjob-1 has failed.", "https://api.test/models")


@pytest.mark.parametrize("kind", [events.DistillationBlocked, events.DistillationFailed])
def test_blocked_and_failed_are_told_once(kind: Any, system: System) -> None:
    status = "blocked" if kind is events.DistillationBlocked else "failed"
    distillation = build.distillation(
        status, plan=documents.plan(reasons=["Why."]), error={"code": "c", "message": "Why."}
    )
    for _ in range(2):
        send(system, kind(distillation_id=distillation.id))
    system.settle()
    [notices] = system.notifications()
    assert (notices["type"], notices["id"], notices["verdict"]) == (status, distillation.id, None)
    assert "Why." in notices["sentence"]


def test_a_message_for_another_goes_back(system: System) -> None:
    message = events.PlanRun(run_id="evalrun_1")
    send(system, message)
    for _ in range(7):
        system.deliver("NOTIFY")
    assert system.dead("NOTIFY") == [message.to_json()]


def test_an_alarm_of_the_stack_is_told_once_to_who_asks_and_not_mailed_twice(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Notice] = []
    monkeypatch.setattr(CHANNELS["slack"], "send", lambda notice, _: sent.append(notice))
    channel("channel_1", "stack.alarm", kind="slack")
    body = (Path(__file__).parents[2] / "events" / "AlarmStateChange.json").read_text()
    for _ in range(2):
        boto3.client("sqs").send_message(QueueUrl=system.queues["NOTIFY"], MessageBody=body)
    system.settle()
    [told] = sent
    assert told.sentence == "What Grade could not handle waits in its dead-letter queue: see docs/how-to/operate.md."
    assert told.lines == ["Threshold Crossed: 1 datapoint [2.0] was greater than the threshold (0.0)."]
    assert (told.object_id, told.command) == ("stillhouse-GradeDeadLettersAlarm-1A2B3C", "stillhouse doctor")
    assert system.notifications() == []


def test_an_alarm_of_another_stack_whose_name_begins_alike_is_not_told(system: System) -> None:
    channel("channel_1", "stack.alarm")
    body = (Path(__file__).parents[2] / "events" / "AlarmStateChange.json").read_text()
    other = body.replace("stillhouse-Grade", "stillhouse-test-Grade")
    boto3.client("sqs").send_message(QueueUrl=system.queues["NOTIFY"], MessageBody=other)
    system.settle()
    assert list(Delivery.newest("channel_1", limit=1)) == []


def test_a_run_that_was_deleted_since_is_told_without_a_page(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Notice] = []
    monkeypatch.setattr(CHANNELS["slack"], "send", lambda notice, _: sent.append(notice))
    channel("channel_1", "eval.run.failed", kind="slack")
    send(system, events.DeliverEvent(event_type="eval.run.failed", object_id="evalrun_gone"))
    system.settle()
    assert [(told.sentence, told.url) for told in sent] == [("The eval run evalrun_gone has failed.", "")]
