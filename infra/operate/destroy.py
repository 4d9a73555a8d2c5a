"""Removes a stack and says what stays: `make destroy STACK=stillhouse-dev`.

Table and bucket outlive the stack, since nobody can make what they hold a second time. So do the keys of providers that
were added, and trained models at their trainers. In: the stack's name. Out: what stays, its size, its price a month,
the commands that remove it and the one that gives it to a new stack; and what is unfinished, which no later stack would
finish. Without `--yes` nothing is removed, nor with it while anything is
unfinished, unless `--unfinished` says that it may be lost.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3

from infra.operate.stack import resources_or_exit

_PRICES = Path(__file__).parents[1] / "aws-prices.json"
_GB = 1 << 30
_OPEN = {"OPENJOBS": "fine-tuning jobs", "OPENDISTILLATIONS": "distillations"}
"""Partitions of the table with a row for what is open."""
_PROVIDERS, _MODELS = "PROVIDER", "MODEL"
"""Partitions of the table with a row for each provider that was added, and for each trained model."""
_A_SECRET = Decimal("0.40")
_SHOWN = 20


@dataclass(frozen=True)
class Kept:
    """What outlives the stack: its size in bytes, its price in dollars a month, and how to remove it."""

    name: str
    size: int
    dollars: Decimal
    remove: str


def kept(s3: Any, dynamodb: Any, known: dict[str, str]) -> list[Kept]:
    """The retained table and bucket of a stack, by what AWS's list prices of us-east-1 make of their sizes."""
    prices = json.loads(_PRICES.read_text(encoding="utf-8"))
    table, bucket = known["Table"], known["Bucket"]
    # DynamoDB looks at the size every six hours.
    rows = int(dynamodb.describe_table(TableName=table)["Table"]["TableSizeBytes"])
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    held = sum(int(entry["Size"]) for page in pages for entry in page.get("Contents", []))
    a_row_gb = _price(prices["dynamodb"]["gb_month"]) + _price(prices["dynamodb"]["backup_gb_month"])
    return [
        Kept(f"table {table}", rows, _month(rows, a_row_gb), f"aws dynamodb delete-table --table-name {table}"),
        Kept(
            f"bucket {bucket}", held, _month(held, _price(prices["s3"]["gb_month"])), f"aws s3 rb --force s3://{bucket}"
        ),
    ]


def keys_kept(dynamodb: Any, table: str) -> list[Kept]:
    """The secrets with the keys of the providers that were added: they are no part of the stack."""
    return [
        Kept(
            f"secret {secret}",
            0,
            _A_SECRET,
            f"aws secretsmanager delete-secret --force-delete-without-recovery --secret-id {secret}",
        )
        for row in _all_rows(dynamodb, table, _PROVIDERS)
        if (secret := row.get("secret_id", {}).get("S"))
    ]


def models_kept(dynamodb: Any, table: str) -> list[str]:
    """Trained models that are not retired: whatever deployed them, they stay at their trainers and may cost there."""
    return [
        f"{row['id']['S']}, by the trainer {row['trainer']['S']}"
        for row in _all_rows(dynamodb, table, _MODELS)
        if row["trainer"].get("S") and "N" not in row.get("retired_at", {})
    ]


def _all_rows(dynamodb: Any, table: str, partition: str) -> Iterator[dict[str, Any]]:
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table, KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": {"S": partition}}
    )
    for page in pages:
        yield from page["Items"]


def _price(entry: dict[str, Any]) -> Decimal:
    return Decimal(str(entry["price"])) / int(entry["per"])


def _month(size: int, a_gb: Decimal) -> Decimal:
    return (a_gb * size / _GB).quantize(Decimal("0.01"))


def unfinished(sqs: Any, dynamodb: Any, known: dict[str, str]) -> list[str]:
    """What would be lost with the queues, or left open for ever: a line for each queue and each kind."""
    waiting = {name: _messages(sqs, url) for name, url in sorted(known.items()) if name.endswith(("Queue", "Letters"))}
    rows = {kind: _rows(dynamodb, known["Table"], partition) for partition, kind in _OPEN.items()}
    return [f"{count} messages in {name}" for name, count in waiting.items() if count] + [
        f"{count} {kind} that are open" for kind, count in rows.items() if count
    ]


def _messages(sqs: Any, url: str) -> int:
    """Those that wait, that somebody has in hand, and that are delayed."""
    numbers = [f"ApproximateNumberOfMessages{which}" for which in ("", "NotVisible", "Delayed")]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=numbers)["Attributes"]
    return sum(int(attributes[number]) for number in numbers)


def _rows(dynamodb: Any, table: str, partition: str) -> int:
    counted = dynamodb.query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": partition}},
        Select="COUNT",
        ConsistentRead=True,
    )
    return int(counted["Count"])


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--stack", required=True)
    arguments.add_argument("--region")
    arguments.add_argument("--yes", action="store_true")
    arguments.add_argument("--unfinished", choices=["keep", "lose"], default="keep")
    asked = arguments.parse_args()
    session = boto3.Session(region_name=asked.region)
    cloudformation = session.client("cloudformation")
    known = resources_or_exit(cloudformation, asked.stack)
    left = _shown(session, asked.stack, known) if {"Table", "Bucket"} <= known.keys() else _hollow(asked.stack)
    if not asked.yes:
        sys.stdout.write("Nothing was removed. Say YES=1 to remove the stack.\n")
        return
    if left and asked.unfinished == "keep":
        sys.exit(
            "Nothing was removed: no later stack finishes what is unfinished. Wait, cancel it, redrive or purge dead "
            "letters; or say UNFINISHED=lose."
        )
    cloudformation.delete_stack(StackName=asked.stack)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=asked.stack)
    sys.stdout.write("removed\n")


def _shown(session: Any, stack: str, known: dict[str, str]) -> list[str]:
    """Says what stays, what goes and what is unfinished; the last is answered."""
    dynamodb = session.client("dynamodb")
    sys.stdout.write(f"{stack}: these stay, with all that was captured and learnt:\n")
    for store in (*kept(session.client("s3"), dynamodb, known), *keys_kept(dynamodb, known["Table"])):
        sys.stdout.write(
            f"  {store.name}: {store.size:,} bytes, about ${store.dollars} a month\n    to remove it: {store.remove}\n"
        )
    back = f"make adopt STACK={stack} TABLE={known['Table']} BUCKET={known['Bucket']}"
    sys.stdout.write(f"  to give them to a new stack: {back}, then make deploy\n")
    sys.stdout.write(f"All else goes: {len(known) - 2} resources, the first API key and the logs among them.\n")
    models = models_kept(dynamodb, known["Table"])
    for model in models[:_SHOWN]:
        sys.stdout.write(f"  may cost at its trainer: {model}\n    to remove it, now: stillhouse model retire NAME\n")
    if len(models) > _SHOWN:
        sys.stdout.write(f"  and {len(models) - _SHOWN} more models: stillhouse model list\n")
    left = unfinished(session.client("sqs"), dynamodb, known)
    for line in left:
        sys.stdout.write(f"  unfinished: {line}\n")
    return left


def _hollow(stack: str) -> list[str]:
    sys.stdout.write(f"{stack} has no table and bucket, its first deploy failed: nothing stays.\n")
    return []


if __name__ == "__main__":
    main()
