"""Removes a stack and says what stays: `make destroy STACK=stillhouse-dev`.

Table and bucket outlive the stack, since nobody can make what they hold a second time. In: the stack's name. Out: what
stays, its size, its price a month, and the commands that remove it. Without `--yes` nothing is removed.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3

from infra.operate.stack import resources

_PRICES = Path(__file__).parents[1] / "aws-prices.json"
_GB = 1 << 30


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


def _price(entry: dict[str, Any]) -> Decimal:
    return Decimal(str(entry["price"])) / int(entry["per"])


def _month(size: int, a_gb: Decimal) -> Decimal:
    return (a_gb * size / _GB).quantize(Decimal("0.01"))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--stack", required=True)
    arguments.add_argument("--region")
    arguments.add_argument("--yes", action="store_true")
    asked = arguments.parse_args()
    session = boto3.Session(region_name=asked.region)
    cloudformation = session.client("cloudformation")
    known = resources(cloudformation, asked.stack)
    sys.stdout.write(f"{asked.stack}: these stay, with all that was captured and learnt:\n")
    for store in kept(session.client("s3"), session.client("dynamodb"), known):
        sys.stdout.write(
            f"  {store.name}: {store.size:,} bytes, about ${store.dollars} a month\n    to remove it: {store.remove}\n"
        )
    sys.stdout.write(f"All else goes: {len(known) - 2} resources, the first API key and the logs among them.\n")
    if not asked.yes:
        sys.stdout.write("Nothing was removed. Say YES=1 to remove the stack.\n")
        return
    cloudformation.delete_stack(StackName=asked.stack)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=asked.stack)
    sys.stdout.write("removed\n")


if __name__ == "__main__":
    main()
