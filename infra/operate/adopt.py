"""Gives a removed stack's table and bucket to a new stack: `make adopt STACK=… TABLE=… BUCKET=…`, then `make deploy`.

In: the name of a stack that is not there yet, and the two names that `make destroy` printed. Out: a stack that holds
the two and nothing else, which the next deploy completes: queues, functions, and the bucket's notifications to them.
It is CloudFormation's import, so nothing of what is stored is touched, and what another stack holds is refused: no two
stacks write into one table. Raises Refused, with the reason; then nothing was made.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import boto3
from botocore.exceptions import ClientError, WaiterError

from infra.operate import template

_CHANGES = "adopt"
_STACK_TAG = "aws:cloudformation:stack-id"
_QUICK = {"Delay": 2, "MaxAttempts": 300}


class Refused(Exception):
    """Table or bucket cannot become the stack's."""


def stores() -> dict[str, Any]:
    """A template of table and bucket as template.yaml has them, but for what needs a queue: the notifications."""
    resources = template.resources()
    table, bucket = resources["Table"], dict(resources["Bucket"])
    del bucket["DependsOn"]
    bucket["Properties"] = {
        name: value for name, value in bucket["Properties"].items() if name != "NotificationConfiguration"
    }
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Table": table, "Bucket": bucket}}


def check(dynamodb: Any, s3: Any, table: str, bucket: str) -> None:
    """Raises Refused for a table that is none of ours, and where the tags of the two name different stacks."""
    try:
        described = dynamodb.describe_table(TableName=table)["Table"]
        owner_of_table = _owner(dynamodb.list_tags_of_resource(ResourceArn=described["TableArn"])["Tags"])
        owner_of_bucket = _owner(_tags(s3, bucket))
    except ClientError as error:
        raise Refused(f"table {table} or bucket {bucket} cannot be read in this account and region: {error}") from error
    keys = {key["AttributeName"]: key["KeyType"] for key in described["KeySchema"]}
    if keys != {"pk": "HASH", "sk": "RANGE"}:
        raise Refused(f"{table} has the keys {sorted(keys)}, a table of this template has pk and sk")
    if owner_of_table and owner_of_bucket and owner_of_table != owner_of_bucket:
        raise Refused(f"table and bucket were made by different stacks: {owner_of_table} and {owner_of_bucket}")


def adopt(cloudformation: Any, stack: str, table: str, bucket: str) -> None:
    """Makes the stack with the two; CloudFormation reads them by name and leaves them as they are."""
    if _exists(cloudformation, stack):
        raise Refused(f"the stack {stack} is there already; a table is adopted by a new one")
    wanted = (
        ("Table", "AWS::DynamoDB::Table", "TableName", table),
        ("Bucket", "AWS::S3::Bucket", "BucketName", bucket),
    )
    change_set = cloudformation.create_change_set(
        StackName=stack,
        ChangeSetName=_CHANGES,
        ChangeSetType="IMPORT",
        TemplateBody=json.dumps(stores()),
        ResourcesToImport=[
            {"LogicalResourceId": logical, "ResourceType": kind, "ResourceIdentifier": {key: name}}
            for logical, kind, key, name in wanted
        ],
    )["Id"]
    try:
        cloudformation.get_waiter("change_set_create_complete").wait(ChangeSetName=change_set, WaiterConfig=_QUICK)
    except WaiterError as error:
        reason = cloudformation.describe_change_set(ChangeSetName=change_set).get("StatusReason", str(error))
        # An import that was refused leaves an empty stack under review, whose name would be taken.
        cloudformation.delete_stack(StackName=stack)
        raise Refused(reason) from error
    cloudformation.execute_change_set(ChangeSetName=change_set)
    cloudformation.get_waiter("stack_import_complete").wait(StackName=stack, WaiterConfig=_QUICK)


def forget_first_key(dynamodb: Any, table: str) -> None:
    """Revoke the first key of the stack that is gone; the new stack's own is written to the table at its first use.

    A first key that was revoked stays as it is: whoever revoked it has another key.
    """
    row = {"pk": {"S": "KEY"}, "sk": {"S": "first"}}
    key = dynamodb.get_item(TableName=table, Key=row, ConsistentRead=True).get("Item")
    if key is None or "N" in key.get("revoked_at", {}):
        return
    listed = dynamodb.query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        FilterExpression="id = :id",
        ExpressionAttributeValues={":pk": {"S": "LIST#KEY"}, ":id": {"S": "first"}},
        ConsistentRead=True,
    )
    for place in listed["Items"]:
        dynamodb.delete_item(TableName=table, Key={name: place[name] for name in ("pk", "sk")})
    dynamodb.delete_item(TableName=table, Key=row)


def _exists(cloudformation: Any, stack: str) -> bool:
    try:
        cloudformation.describe_stacks(StackName=stack)
    except ClientError as error:
        if "does not exist" in str(error):
            return False
        raise
    return True


def _tags(s3: Any, bucket: str) -> list[dict[str, str]]:
    try:
        tags: list[dict[str, str]] = s3.get_bucket_tagging(Bucket=bucket)["TagSet"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchTagSet":
            raise
        return []
    return tags


def _owner(tags: list[dict[str, str]]) -> str | None:
    """The stack that made a resource, which its tags name after that stack is gone; None where they do not."""
    return next((tag["Value"] for tag in tags if tag["Key"] == _STACK_TAG), None)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    for name in ("--stack", "--table", "--bucket"):
        arguments.add_argument(name, required=True)
    arguments.add_argument("--region")
    asked = arguments.parse_args()
    session = boto3.Session(region_name=asked.region)
    dynamodb = session.client("dynamodb")
    try:
        check(dynamodb, session.client("s3"), asked.table, asked.bucket)
        adopt(session.client("cloudformation"), asked.stack, asked.table, asked.bucket)
    except Refused as refused:
        sys.exit(f"adopt: {refused}")
    forget_first_key(dynamodb, asked.table)
    sys.stdout.write(
        f"{asked.stack} holds table {asked.table} and bucket {asked.bucket}. Deploy it now, with the parameters of the "
        "stack that is gone: make deploy makes all else around them, and a new first API key. Other keys stay valid.\n"
    )


if __name__ == "__main__":
    main()
