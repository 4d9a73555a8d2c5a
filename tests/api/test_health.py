"""Health: queues and dead letters with their reasons, what is open and waits, alarms, and putting dead letters back."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from api import open_work
from distillations.job import OPEN_JOBS
from evals.run import OPEN_RUNS
from foundation import aws, table
from foundation.later import Pause
from rollouts.rollout import RolloutPause
from tests.distilling import build
from tests.flow.system import System
from tests.rolling_out.calls import begun

ALARM = {
    "AlarmDescription": "What Grade could not handle waits.",
    "Namespace": "AWS/SQS",
    "MetricName": "ApproximateNumberOfMessagesVisible",
    "Statistic": "Maximum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 0,
    "ComparisonOperator": "GreaterThanThreshold",
}


def queue(system: System, name: str) -> dict[str, Any]:
    return next(queue for queue in system.ok("GET", "/v1/health")["queues"] if queue["name"] == name)


def die(system: System, name: str, body: str) -> None:
    """Let a message fail until it is a dead letter."""
    aws.sqs().send_message(QueueUrl=system.queues[name], MessageBody=body)
    system.settle()


def test_dead_letters_are_shown_with_their_reasons_and_stay(system: System) -> None:
    die(system, "VERDICT", '{"type":"DecideVerdict","distillation_id":"distill_none"}')
    die(system, "VERDICT", "<b>no message</b>")
    for _ in range(2):
        seen = queue(system, "verdict")
        assert (seen["dead"], seen["waiting"], seen["in_flight"]) == (2, 0, 0)
        by_type = {letter["type"]: letter for letter in seen["dead_letters"]}
        assert by_type["DecideVerdict"]["about"] == "distill_none"
        assert "it was tried 5 times" in by_type["DecideVerdict"]["reason"]
        assert "does not know" in by_type[None]["reason"]
        assert "<b>" not in str(seen)
    assert len(system.dead("VERDICT")) == 2
    assert queue(system, "grade")["dead_letters"] == []


def test_dead_letters_are_put_back_and_handled_anew(system: System) -> None:
    die(system, "VERDICT", "no message")
    begun = system.call("POST", "/v1/health/verdict/redrive")
    assert (begun[0], begun[1]["moved"]) == (202, 1)
    seen = queue(system, "verdict")
    assert (seen["dead"], seen["waiting"], seen["redrive"]["status"]) == (0, 1, "COMPLETED")
    system.settle()
    assert queue(system, "verdict")["dead"] == 1


def test_what_cannot_be_put_back_is_refused(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    assert system.call("POST", "/v1/health/nothing/redrive")[0] == 404
    status, refusal = system.call("POST", "/v1/health/grade/redrive")
    assert (status, refusal["error"]["code"]) == (409, "no_dead_letters")
    die(system, "GRADE", "no message")
    running = {"Results": [{"Status": "RUNNING", "StartedTimestamp": 1000}]}
    with monkeypatch.context() as patch:
        patch.setattr(aws.sqs(), "list_message_move_tasks", lambda **_: running)
        status, refusal = system.call("POST", "/v1/health/grade/redrive")
        assert (status, refusal["error"]["code"]) == (409, "already_running")

    def pressed_twice(**_: Any) -> None:
        error = {"Code": "InvalidParameterValue", "Message": "There is already a task running."}
        raise ClientError({"Error": error}, "StartMessageMoveTask")

    monkeypatch.setattr(aws.sqs(), "start_message_move_task", pressed_twice)
    status, refusal = system.call("POST", "/v1/health/grade/redrive")
    assert (status, refusal["error"]["code"]) == (409, "already_running")


def test_what_an_emulator_lacks_is_not_known_and_nothing_else_fails(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "InvalidAction", "Message": "?"}}, "StartMessageMoveTask")

    die(system, "GRADE", "no message")
    monkeypatch.setattr(aws.sqs(), "list_message_move_tasks", lacking)
    monkeypatch.setattr(aws.sqs(), "start_message_move_task", lacking)
    seen = queue(system, "grade")
    assert (seen["dead"], seen["redrive"], seen["oldest_seconds"]) == (1, None, None)
    status, refusal = system.call("POST", "/v1/health/grade/redrive")
    assert (status, refusal["error"]["code"]) == (409, "not_supported")
    assert queue(system, "grade")["dead"] == 1


def test_the_age_of_the_oldest_message_is_what_cloudwatch_says(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def metrics(**query: Any) -> Any:
        asked.append(query)
        results = [{"Id": one["Id"], "Values": [7200.0, 1.0]} for one in query["MetricDataQueries"][:1]]
        return {"MetricDataResults": results}

    monkeypatch.setattr(aws.cloudwatch(), "get_metric_data", metrics)
    queues = system.ok("GET", "/v1/health")["queues"]
    assert [queue["oldest_seconds"] for queue in queues] == [7200, *[None] * 8]
    first = asked[0]["MetricDataQueries"][0]["MetricStat"]["Metric"]["Dimensions"]
    assert first == [{"Name": "QueueName", "Value": "RECORD"}]


def test_alarms_of_this_stack_are_listed_the_raised_ones_first(system: System) -> None:
    names = (
        ("stillhouse-A-1X", "OK"),
        ("stillhouse-B-1X", "ALARM"),
        ("other-C-1X", "ALARM"),
        ("stillhouse-dev-A-1X", "ALARM"),
    )
    for name, state in names:
        aws.cloudwatch().put_metric_alarm(AlarmName=name, **ALARM)
        aws.cloudwatch().set_alarm_state(AlarmName=name, StateValue=state, StateReason="test")
    alarms = system.ok("GET", "/v1/health")["alarms"]
    assert [(alarm["name"], alarm["state"]) for alarm in alarms] == [
        ("stillhouse-B-1X", "alarm"),
        ("stillhouse-A-1X", "ok"),
    ]
    assert alarms[0]["about"] == ALARM["AlarmDescription"]


def test_what_is_open_says_what_it_waits_for(system: System) -> None:
    build.distillation("completed", number=2)
    held = build.distillation("blocked", job_id="ftjob-1", dataset_id="ds_1")
    build.job(held, status="running", away=Pause(since=5, reason="the trainer answers 503"))
    table.put({"pk": OPEN_JOBS, "sk": "ftjob-1"})
    build.run(held, "teacher")
    seen = system.ok("GET", "/v1/health")
    assert seen["more_open"] is False
    assert [(work["kind"], work["status"], work["waits_for"], work["waits_since"]) for work in seen["open"]] == [
        ("distillation", "blocked", "Somebody must approve it.", build.AT),
        ("job", "running", "the trainer answers 503", 5),
        ("run", "queued", None, None),
    ]
    assert seen["open"][2]["eval_id"] == held.eval_id


def test_an_open_rollout_says_what_it_waits_for_and_its_runs_are_not_told(system: System) -> None:
    running, frozen, paused = (begun(name) for name in ("running", "frozen", "paused"))
    frozen.change({"status": "frozen"})
    paused.change({"status": "paused", "pause": RolloutPause(reason="budget", since=7, message="It is spent.")})
    run = build.run(build.distillation("completed"), "teacher", rollout_id=running.id)
    run.change({"distillation_id": None})
    seen = system.ok("GET", "/v1/health")["open"]
    assert {(work["kind"], work["id"], work["waits_for"], work["waits_since"]) for work in seen} == {
        ("rollout", running.id, None, None),
        ("rollout", frozen.id, "Somebody has frozen it.", None),
        ("rollout", paused.id, "It is spent.", 7),
    }


def test_what_has_ended_hides_nothing_that_is_open(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    run = build.run(build.distillation("measuring"), "teacher")
    for number in range(120):
        table.put({"pk": OPEN_RUNS, "sk": f"evalrun_0{number:04d}"})
    seen = system.ok("GET", "/v1/health")
    assert ([work["id"] for work in seen["open"]], seen["more_open"]) == ([run.id, run.distillation_id], False)
    monkeypatch.setattr(open_work, "_READ", 100)
    seen = system.ok("GET", "/v1/health")
    assert ([work["id"] for work in seen["open"]], seen["more_open"]) == ([run.distillation_id], True)


def test_of_many_that_are_open_some_are_shown(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_work, "_MOST", 2)
    for number in range(2):
        build.distillation("measuring", number=number)
    assert system.ok("GET", "/v1/health")["more_open"] is False
    build.distillation("measuring", number=2)
    seen = system.ok("GET", "/v1/health")
    assert (len(seen["open"]), seen["more_open"]) == (2, True)


def test_only_an_administrator_sees_it(system: System) -> None:
    reader = system.ok("POST", "/v1/keys", {"name": "reader", "scopes": ["read", "write"]})["key"]
    assert system.call("GET", "/v1/health", key=reader)[0] == 403
    assert system.call("POST", "/v1/health/grade/redrive", key=reader)[0] == 403
