"""What stays of a stack that is removed, and what it costs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError

from distillations import distillation, job
from infra.operate import destroy
from infra.operate.destroy import _OPEN, kept, keys_kept, models_kept, unfinished
from infra.operate.stack import resources, resources_or_exit
from providers.model_version import ModelVersion
from providers.saved import SavedProvider

GB = 1 << 30
KNOWN = {"Table": "the-table", "Bucket": "the-bucket", "Api": "a1"}


class Stores:
    """DynamoDB and S3 of a size; the bucket's objects come on two pages."""

    def __init__(self, rows: int, objects: list[int]) -> None:
        self.rows, self.objects = rows, objects

    def describe_table(self, *, TableName: str) -> Any:  # noqa: N803 - boto3's name
        assert TableName == "the-table"
        return {"Table": {"TableSizeBytes": self.rows}}

    def get_paginator(self, call: str) -> Any:
        assert call == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str) -> Any:  # noqa: N803 - boto3's name
        assert Bucket == "the-bucket"
        return [{"Contents": [{"Size": size} for size in self.objects]}, {}]


def test_what_stays_is_priced_and_comes_with_how_to_remove_it() -> None:
    stores = Stores(2 * GB, [60 * GB, 40 * GB])
    table, bucket = kept(stores, stores, KNOWN)
    # 0.25 for the rows and 0.20 for their backups a GB; 0.023 a GB of objects.
    assert (table.size, table.dollars) == (2 * GB, Decimal("0.90"))
    assert (bucket.size, bucket.dollars) == (100 * GB, Decimal("2.30"))
    assert table.remove.endswith("delete-table --table-name the-table")
    assert bucket.remove.endswith("s3://the-bucket")


def test_an_empty_stack_costs_nothing() -> None:
    stores = Stores(0, [])
    assert [store.dollars for store in kept(stores, stores, KNOWN)] == [Decimal("0.00")] * 2


class Work:
    """Queues with messages, by URL, and a table with rows of what is open, by partition."""

    def __init__(self, messages: dict[str, tuple[int, int, int]], rows: dict[str, int]) -> None:
        self.messages, self.rows = messages, rows

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: list[str]) -> Any:  # noqa: N803 - boto3's names
        counts = self.messages.get(QueueUrl, (0, 0, 0))
        return {"Attributes": {name: str(count) for name, count in zip(AttributeNames, counts, strict=True)}}

    def query(self, *, ExpressionAttributeValues: Any, **asked: Any) -> Any:  # noqa: N803 - boto3's name
        assert asked["ConsistentRead"]
        return {"Count": self.rows.get(ExpressionAttributeValues[":pk"]["S"], 0)}


QUEUES = {**KNOWN, "PlanQueue": "plan", "PlanDeadLetters": "plan-dead", "PlanQueuePolicy": "policy"}


def test_a_stack_at_rest_leaves_nothing_unfinished() -> None:
    assert unfinished(Work({}, {}), Work({}, {}), QUEUES) == []


def test_messages_and_open_work_are_named_since_no_later_stack_finishes_them() -> None:
    work = Work({"plan": (1, 2, 3), "plan-dead": (4, 0, 0)}, {"OPENJOBS": 1})
    assert unfinished(work, work, QUEUES) == [
        "4 messages in PlanDeadLetters",
        "6 messages in PlanQueue",
        "1 fine-tuning jobs that are open",
    ]


def test_what_is_open_stands_where_services_write_it() -> None:
    assert set(_OPEN) == {job.OPEN_JOBS, distillation.OPEN_DISTILLATIONS}


class Rows:
    """A table's rows by partition, on two pages."""

    def __init__(self, **partitions: list[dict[str, Any]]) -> None:
        self.partitions = partitions

    def get_paginator(self, call: str) -> Any:
        assert call == "query"
        return self

    def paginate(self, *, TableName: str, ExpressionAttributeValues: Any, **_: Any) -> Any:  # noqa: N803 - boto3's
        assert TableName == "the-table"
        return [{"Items": self.partitions[ExpressionAttributeValues[":pk"]["S"]]}, {"Items": []}]


def test_keys_of_providers_and_models_at_their_trainers_are_named_since_no_stack_removes_them() -> None:
    with_key = {"secret_id": {"S": "stillhouse/providers/alpha-1"}}
    models = [
        {"id": {"S": "kept"}, "trainer": {"S": "bedrock"}, "retired_at": {"NULL": True}},
        {"id": {"S": "retired"}, "trainer": {"S": "bedrock"}, "retired_at": {"N": "5"}},
        {"id": {"S": "a-person-s-own"}, "trainer": {"S": ""}, "retired_at": {"NULL": True}},
    ]
    rows = Rows(PROVIDER=[with_key, {"secret_id": {"S": ""}}], MODEL=models)
    (key,) = keys_kept(rows, "the-table")
    assert (key.name, key.dollars) == ("secret stillhouse/providers/alpha-1", Decimal("0.40"))
    assert key.remove.endswith("--secret-id stillhouse/providers/alpha-1")
    assert models_kept(rows, "the-table") == ["kept, by the trainer bedrock"]


def test_keys_and_models_stand_where_services_write_them() -> None:
    assert (destroy._PROVIDERS, destroy._MODELS) == (SavedProvider.KIND, ModelVersion.KIND)


class Stacks:
    """CloudFormation with one stack, whose first deploy failed: what was made is deleted again."""

    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, **_: Any) -> Any:
        made = {"LogicalResourceId": "Table", "PhysicalResourceId": "t", "ResourceStatus": "DELETE_COMPLETE"}
        failed = {"LogicalResourceId": "Logs", "ResourceStatus": "CREATE_FAILED"}
        return [{"StackResourceSummaries": [made, failed]}]


def test_a_stack_that_was_rolled_back_holds_nothing() -> None:
    assert resources(Stacks(), "failed") == {}


class NoStacks:
    def get_paginator(self, _: str) -> Any:
        return self

    def paginate(self, **_: Any) -> Any:
        raise ClientError({"Error": {"Code": "ValidationError", "Message": "does not exist"}}, "ListStackResources")


def test_a_command_for_a_stack_that_is_not_there_ends_with_a_line() -> None:
    with pytest.raises(SystemExit, match="is it the right STACK and REGION"):
        resources_or_exit(NoStacks(), "nothing")
