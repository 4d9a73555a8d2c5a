"""What may be given to a new stack, and what the import says of it; the import itself is tried on the emulator."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from foundation import aws, keys, table
from foundation.api_keys import ApiKey
from foundation.errors import Unauthorized
from foundation.settings import settings
from infra.operate.adopt import Refused, check, forget_first_key, stores
from tests.cloud import FIRST_SECRET
from tests.template.loading import expanded


class Stores:
    """DynamoDB and S3 with a table and a bucket, and the tags that CloudFormation left on each."""

    def __init__(self, keys: str = "pk sk", table_of: str | None = "gone", bucket_of: str | None = "gone") -> None:
        self.keys, self.table_of, self.bucket_of = keys, table_of, bucket_of

    def describe_table(self, *, TableName: str) -> Any:  # noqa: N803 - boto3's name
        if TableName != "the-table":
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": TableName}}, "DescribeTable")
        kinds = zip(self.keys.split(), ("HASH", "RANGE"), strict=False)
        schema = [{"AttributeName": name, "KeyType": kind} for name, kind in kinds]
        return {"Table": {"TableArn": "arn", "KeySchema": schema}}

    def list_tags_of_resource(self, **_: Any) -> Any:
        return {"Tags": tags(self.table_of)}

    def get_bucket_tagging(self, **_: Any) -> Any:
        if self.bucket_of is None:
            raise ClientError({"Error": {"Code": "NoSuchTagSet", "Message": ""}}, "GetBucketTagging")
        return {"TagSet": tags(self.bucket_of)}


def tags(stack: str | None) -> list[dict[str, str]]:
    return [{"Key": "aws:cloudformation:stack-id", "Value": stack}] if stack else []


@pytest.mark.parametrize("held", [Stores(), Stores(bucket_of=None), Stores(table_of=None)])
def test_a_table_and_a_bucket_of_one_stack_may_be_adopted(held: Stores) -> None:
    check(held, held, "the-table", "the-bucket")


@pytest.mark.parametrize(
    ("held", "table", "says"),
    [
        (Stores(), "another", "cannot be read in this account and region"),
        (Stores(keys="id"), "the-table", "has pk and sk"),
        (Stores(bucket_of="other"), "the-table", "made by different stacks: gone and other"),
    ],
)
def test_what_does_not_belong_together_is_refused(held: Stores, table: str, says: str) -> None:
    with pytest.raises(Refused, match=says):
        check(held, held, table, "the-bucket")


def test_the_import_describes_the_stores_as_the_template_makes_them() -> None:
    """What differed would be changed by the next deploy, or never be; notifications come with their queues."""
    made, whole = stores()["Resources"], expanded()["Resources"]
    assert set(made) == {"Table", "Bucket"}
    assert made["Table"] == whole["Table"]
    assert made["Bucket"]["DeletionPolicy"] == whole["Bucket"]["DeletionPolicy"]
    notified = whole["Bucket"]["Properties"].keys() - made["Bucket"]["Properties"].keys()
    assert notified == {"NotificationConfiguration"}
    assert made["Bucket"]["Properties"].items() <= whole["Bucket"]["Properties"].items()


def first_key_works(secret: str) -> bool:
    keys._trusted.clear()
    try:
        return keys.check(f"Bearer sk-sh-first-{secret}", "admin").id == "first"
    except Unauthorized:
        return False


@pytest.mark.usefixtures("cloud")
def test_the_first_key_is_the_new_stack_s(monkeypatch: pytest.MonkeyPatch) -> None:
    _, other = keys.create(scopes=["admin"], name="other")
    assert first_key_works(FIRST_SECRET)
    made = aws.secretsmanager().create_secret(Name="new", SecretString="f" * 16)
    monkeypatch.setenv("FIRST_KEY_SECRET_ARN", made["ARN"])
    settings.cache_clear()
    assert not first_key_works("f" * 16)

    forget_first_key(aws.dynamodb(), settings().TABLE)

    assert first_key_works("f" * 16)
    assert not first_key_works(FIRST_SECRET)
    assert keys.check(f"Bearer {other}", "admin")
    assert sorted(key.name for key in ApiKey.page().data) == ["first", "other"]


@pytest.mark.usefixtures("cloud")
def test_a_first_key_that_was_revoked_stays_so() -> None:
    assert first_key_works(FIRST_SECRET)
    table.update("KEY", "first", {"revoked_at": 1})
    forget_first_key(aws.dynamodb(), settings().TABLE)
    assert not first_key_works(FIRST_SECRET)


@pytest.mark.usefixtures("cloud")
def test_a_table_without_a_first_key_is_left_alone() -> None:
    forget_first_key(aws.dynamodb(), settings().TABLE)
    assert first_key_works(FIRST_SECRET)
