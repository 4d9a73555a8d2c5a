"""What moto and botocore do anew at every call of AWS, and need not: it was half of the time of the unit tests.

- moto answers a query by sorting every row of the table, each comparison through a cast of both sides. Here a query
  reads its own partition.
- moto looks for each field of an answer under all its possible spellings. Here the exact name is tried first, and a
  value of DynamoDB is known to have one name only.
- moto lists the methods of a response class and spells the names of actions anew, and botocore composes its user agent,
  at each call. Here once.

`tests/test_quick_aws.py` holds the answers against those of moto itself.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import cache
from typing import Any

import moto.core.responses
import moto.sqs.models
from botocore.useragent import UserAgentString
from moto.core.serialize import AttributePicker, AttributePickerContext
from moto.core.utils import camelcase_to_underscores
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table

_own_query = Table.query
_own_all_items = Table.all_items
_own_pick = AttributePicker.__call__
_own_method_names = moto.core.responses.method_names_from_class

_TYPES = frozenset(("S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"))
_partition: ContextVar[DynamoType | None] = ContextVar("partition", default=None)


def query(self: Table, hash_key: DynamoType | None, *arguments: Any, **options: Any) -> Any:
    """Call moto's own query, for which `all_items` gives the rows of one partition. An index is asked moto's way."""
    wanted = _partition.set(None if options.get("index_name") else hash_key)
    try:
        return _own_query(self, hash_key, *arguments, **options)
    finally:
        _partition.reset(wanted)


def all_items(self: Table) -> list[Item]:
    """The rows of the partition that is asked for, which moto's query sorts; without one, of the table."""
    hash_key = _partition.get()
    if hash_key is None or not self.range_key_attr:
        return _own_all_items(self)
    return list(self.items.get(hash_key, {}).values())


def pick(self: AttributePicker, context: AttributePickerContext) -> Any:
    """A field that an answer holds under its exact name, nothing of a value of another type, else moto's search."""
    answer = context.obj
    if type(answer) is dict and not self.response_transformers:
        if context.key in answer:
            return answer[context.key]
        if len(answer) == 1 and context.key in _TYPES and _TYPES.issuperset(answer):
            return None
    return _own_pick(self, context)


QUICK: dict[tuple[Any, str], Callable[..., Any]] = {
    (Table, "query"): query,
    (Table, "all_items"): all_items,
    (AttributePicker, "__call__"): pick,
    (moto.core.responses, "method_names_from_class"): cache(_own_method_names),
    (moto.core.responses, "camelcase_to_underscores"): cache(camelcase_to_underscores),
    (moto.sqs.models, "camelcase_to_underscores"): cache(camelcase_to_underscores),
    (UserAgentString, "to_string"): lambda _: "boto3 in tests",
}
"""What stands in for a method of moto or botocore."""

OWN = {(owner, name): getattr(owner, name) for owner, name in QUICK}


def quicken() -> None:
    """Put the quick ways in, for this process."""
    for (owner, name), quick in QUICK.items():
        setattr(owner, name, quick)
