"""That a call which no statement allows fails a test, and a permission that is taken away fails it, too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError

from foundation import aws, blobs, links, table
from foundation.settings import settings
from tests import permissions
from tests.assembly import states
from tests.dashboard import browser
from tests.flow import loop
from tests.flow.system import System
from tests.permissions import NotPermitted, acting
from tests.template import loading

type Call = Callable[[], Any]
OTHER_SECRET = (
    "secretsmanager:GetSecretValue arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:other"
)
RULES = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/${AWS::StackName}-"
WITH_HANDLERS_OF_THEIR_OWN = (states, browser)


@pytest.fixture
def take_away(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Take an action away from a function."""

    def take(action: str, name: str) -> None:
        def fewer(function: dict[str, Any]) -> Iterator[dict[str, Any]]:
            for statement in loading.statements(function):
                if function is not loading.functions()[name] or action not in loading.listed(statement["Action"]):
                    yield statement

        monkeypatch.setattr(permissions, "statements", fewer)
        permissions._statements.cache_clear()

    yield take
    permissions._statements.cache_clear()


def send(queue: str) -> Any:
    return aws.sqs().send_message(QueueUrl=getattr(settings(), f"{queue}_QUEUE_URL"), MessageBody="{}")


def row_of(partition: str) -> Any:
    return table.get(partition, "row")


def written_together(partition: str) -> Any:
    put = {"TableName": settings().TABLE, "Item": {"pk": {"S": partition}, "sk": {"S": "row"}}}
    return aws.dynamodb().transact_write_items(TransactItems=[{"Put": put}])


def replace_dead_letters(queue: str) -> Any:
    url = f"arn:aws:sqs:us-east-1:123456789012:{queue}"
    aws.sqs().start_message_move_task(SourceArn=f"{url}-dead", DestinationArn=url)


@pytest.mark.parametrize(
    ("function", "call", "refused"),
    [
        ("VerdictFunction", lambda: blobs.find("runs/run_1/x.json"), "s3:ListBucket Bucket.Arn runs/run_1/x.json"),
        ("PlanFunction", lambda: blobs.find("runs/run_1/x.json"), None),
        ("PlanFunction", lambda: blobs.find("datasets/ds/curves/x"), "s3:ListBucket Bucket.Arn datasets/ds/curves/x"),
        ("GradeFunction", lambda: blobs.exists("completions/x"), "s3:GetObject ${Bucket.Arn}/completions/x"),
        ("GradeFunction", lambda: list(blobs.keys("completions/")), "s3:ListBucket Bucket.Arn completions/"),
        ("PartFunction", lambda: blobs.put("datasets/ds_1/work/x", b""), None),
        ("PartFunction", lambda: blobs.put("datasets/ds_1/x", b""), "s3:PutObject ${Bucket.Arn}/datasets/ds_1/x"),
        ("PlanFunction", lambda: blobs.delete(["runs/x"]), "s3:DeleteObject ${Bucket.Arn}/runs/x"),
        ("CaptureFunction", lambda: links.to_object("files/x"), "s3:GetObject ${Bucket.Arn}/files/x"),
        ("CaptureFunction", lambda: send("RECORD"), None),
        ("CaptureFunction", lambda: send("PLAN"), "sqs:SendMessage PlanQueue.Arn"),
        ("ApiFunction", lambda: replace_dead_letters("PLAN"), None),
        ("SweepFunction", lambda: replace_dead_letters("PLAN"), "sqs:StartMessageMoveTask PlanDeadLetters.Arn"),
        ("TuningWatchFunction", lambda: replace_dead_letters("PLAN"), "sqs:SendMessage PlanQueue.Arn"),
        ("VerdictFunction", lambda: written_together("EVAL"), None),
        ("DashboardFunction", lambda: written_together("EVAL"), "dynamodb:PutItem Table.Arn EVAL"),
        ("TuningFunction", lambda: aws.events().enable_rule(Name="watch"), None),
        ("TuningFunction", lambda: aws.events().enable_rule(Name="rollouts"), f"events:EnableRule {RULES}rollouts"),
        ("DashboardFunction", lambda: row_of("KEY"), None),
        ("DashboardFunction", lambda: row_of("EVAL"), "dynamodb:GetItem Table.Arn EVAL"),
        ("VerdictFunction", lambda: table.delete("KEY", "x"), "dynamodb:DeleteItem Table.Arn KEY"),
        ("GradeFunction", lambda: aws.secretsmanager().get_secret_value(SecretId="other"), OTHER_SECRET),
        ("GradeFunction", lambda: aws.cloudwatch().describe_alarms(), "cloudwatch:DescribeAlarms any"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("system")
def test_a_call_asks_the_role_of_its_function(function: str, call: Call, refused: str | None) -> None:
    if refused is None:
        with acting(function):
            call()
    else:
        with pytest.raises(NotPermitted) as told, acting(function), suppress(ClientError):
            call()
        assert f"{function} may not {refused}" in str(told.value).splitlines()


@pytest.mark.usefixtures("system")
def test_what_a_test_does_meanwhile_asks_nobody() -> None:
    with acting("CaptureFunction"):
        with permissions.meanwhile():
            send("PLAN")
        send("RECORD")


def pushed_and_listed(system: System) -> None:
    loop.capture(system, "mail", train=1, test=1)
    system.ok("GET", "/v1/chat/completions?metadata[tag]=mail")


@pytest.mark.parametrize(
    ("action", "function"),
    [
        ("sqs:SendMessage", "CaptureFunction"),
        ("s3:PutObject", "RecordFunction"),
        ("dynamodb:BatchWriteItem", "RecordFunction"),
        ("dynamodb:PutItem", "RecordFunction"),
        ("dynamodb:Query", "ApiFunction"),
        ("s3:GetObject", "ApiFunction"),
    ],
)
def test_a_permission_that_is_taken_away_is_missed_where_the_system_runs(
    system: System, take_away: Callable[[str, str], None], action: str, function: str
) -> None:
    take_away(action, function)
    with pytest.raises(NotPermitted, match=f"{function} may not {action}"):
        pushed_and_listed(system)


def test_every_function_is_run_by_its_role() -> None:
    entries = {function["Handler"] for function in loading.functions().values()}
    assert entries == permissions.PERMITTED
