"""What stays of a stack that is removed, and what it costs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from infra.operate.destroy import kept

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
    assert [one.dollars for one in kept(stores, stores, KNOWN)] == [Decimal("0.00")] * 2
