"""A removed stack's table and bucket become a new stack's, and work there: on the emulator, in an account of its own.

The stack is the template's stores with the queues that hear of them; functions would only make it slow.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import boto3
import pytest

from infra.operate import adopt
from local.stack.info import StackInfo
from tests.template.loading import expanded

TOLD = ("TuningQueue", "DistillingQueue")
PARTS = ("Table", "Bucket", "BucketPolicy", *TOLD, "TuningQueuePolicy", "DistillingQueuePolicy")
QUICK = {"Delay": 1, "MaxAttempts": 60}


class Account:
    """An account that nobody else uses: the emulator takes a key of twelve digits for its number."""

    def __init__(self, endpoint_url: str) -> None:
        session = boto3.Session(f"{uuid4().int % 10**12:012}", "local", region_name="us-east-1")
        make: Any = session.client
        services = ("cloudformation", "dynamodb", "s3", "sqs")
        self.cloudformation, self.dynamodb, self.s3, self.sqs = (
            make(service, endpoint_url=endpoint_url) for service in services
        )

    def deploy(self, stack: str) -> dict[str, str]:
        """The whole stack, made or completed; its resources."""
        exists = adopt._exists(self.cloudformation, stack)
        act, done = ("update_stack", "stack_update_complete") if exists else ("create_stack", "stack_create_complete")
        getattr(self.cloudformation, act)(StackName=stack, TemplateBody=json.dumps(template()))
        self.cloudformation.get_waiter(done).wait(StackName=stack, WaiterConfig=QUICK)
        resources_ = self.cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
        return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources_}

    def remove(self, stack: str) -> None:
        self.cloudformation.delete_stack(StackName=stack)
        self.cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig=QUICK)

    def adopt(self, stack: str, table: str, bucket: str) -> None:
        adopt.check(self.dynamodb, self.s3, table, bucket)
        adopt.adopt(self.cloudformation, stack, table, bucket)

    def notifications(self, url: str) -> list[str]:
        """The keys of the objects that a queue was notified of."""
        messages = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
        records = [record for message in messages for record in json.loads(message["Body"]).get("Records", [])]
        return [record["s3"]["object"]["key"] for record in records]


def template() -> dict[str, Any]:
    parts = {name: json.loads(json.dumps(expanded()["Resources"][name])) for name in PARTS}
    for queue in TOLD:
        del parts[queue]["Properties"]["RedrivePolicy"]
        parts[queue]["Properties"]["VisibilityTimeout"] = 30
    return {"Resources": parts}


@pytest.fixture
def account(stack: StackInfo) -> Account:
    return Account(stack.endpoint_url)


def test_what_was_captured_is_the_new_stacks_and_its_queues_hear_of_it(account: Account) -> None:
    before = account.deploy("first")
    table, bucket = before["Table"], before["Bucket"]
    account.dynamodb.put_item(TableName=table, Item={"pk": {"S": "C#1"}, "sk": {"S": "a"}})
    account.s3.put_object(Bucket=bucket, Key="datasets/old/card.json", Body=b"{}")
    account.remove("first")

    account.adopt("second", table, bucket)
    after = account.deploy("second")

    assert (after["Table"], after["Bucket"]) == (table, bucket)
    assert account.dynamodb.scan(TableName=table)["Count"] == 1
    assert account.s3.get_object(Bucket=bucket, Key="datasets/old/card.json")["Body"].read() == b"{}"
    account.s3.put_object(Bucket=bucket, Key="datasets/new/card.json", Body=b"{}")
    account.s3.put_object(Bucket=bucket, Key="runs/new/summary.json", Body=b"{}")
    assert account.notifications(after["TuningQueue"]) == ["datasets/new/card.json"]
    assert account.notifications(after["DistillingQueue"]) == ["runs/new/summary.json"]
    # And it is theirs as the first one's was: it stays when they go.
    account.remove("second")
    assert account.dynamodb.scan(TableName=table)["Count"] == 1


def test_no_two_stacks_have_one_table(account: Account) -> None:
    held = account.deploy("holder")
    with pytest.raises(adopt.Refused, match="already exists in stack"):
        account.adopt("thief", held["Table"], held["Bucket"])
    # The refused stack leaves nothing, and its name is free.
    assert not adopt._exists(account.cloudformation, "thief")
    with pytest.raises(adopt.Refused, match="is there already"):
        account.adopt("holder", held["Table"], held["Bucket"])
