"""Rows of DynamoDB read and written, from the method of boto3's client to moto's rows.

What moto's actions do is done here, for a plain table of two keys of text and rows of plain values, as
`foundation.table` asks it. Whatever else is asked, or lies there, raises NotStraight before anything is written: then
moto's own action does it, or refuses it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import RESULT_SIZE_LIMIT, Table

from tests.quick_calls import NotStraight
from tests.quick_conditions import Condition, compiled
from tests.quick_rows import LARGEST_ITEM, Keys, change, found_row, keys_alone, made_row, shown, size_of, value_of

type Answer = tuple[dict[str, Any], int]

_LARGEST_BATCH = 16 * 1024 * 1024
_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)
_CHANGES = re.compile(r"SET (#\w+ = :\w+(?:, #\w+ = :\w+)*)", re.ASCII)
_RANGE = "pk = :pk AND sk BETWEEN :low AND :high"
_SAID = "The conditional request failed"
_LOST = {"Error": {"Code": "ConditionalCheckFailedException", "Message": _SAID}, "message": _SAID}
_MOST_WRITTEN, _MOST_READ = 25, 100


class Asked:
    """The parameters of a call, taken one by one: what nobody takes is not understood here."""

    def __init__(self, parameters: Any) -> None:
        if type(parameters) is not dict:
            raise NotStraight
        self._left = dict(parameters)

    def take[Kind](self, name: str, kind: type[Kind], default: Kind | None = None) -> Kind:
        found = self._left.pop(name, default)
        if type(found) is not kind:
            raise NotStraight
        return found

    def end(self) -> None:
        if self._left:
            raise NotStraight


def answered(operation: str, region: str, parameters: Any) -> Answer:
    """The answer and its status, or NotStraight."""
    asked, tables = Asked(parameters), dynamodb_backends[DEFAULT_ACCOUNT_ID][region].tables
    if operation in _ANSWERS:
        return _ANSWERS[operation](_plain_table(tables.get(asked.take("TableName", str))), asked)
    if operation not in _BATCHES:
        raise NotStraight
    requests = asked.take("RequestItems", dict)
    asked.end()
    if len(requests) != 1:
        raise NotStraight
    ((name, content),) = requests.items()
    return _BATCHES[operation](_plain_table(tables.get(name)), content)


def _plain_table(table: Table | None) -> Table:
    if table is None or table.table_key_attrs != ["pk", "sk"]:
        raise NotStraight
    if (table.hash_key_type, table.range_key_type) != ("S", "S"):
        raise NotStraight
    if table.stream_shard is not None or table.indexes or table.global_indexes:
        raise NotStraight
    return table


# ---------------------------------------------------------------- one row


def _get(table: Table, asked: Asked) -> Answer:
    keys = keys_alone(asked.take("Key", dict))
    asked.take("ConsistentRead", bool, default=False)
    asked.end()
    found = found_row(table, keys)
    return ({} if found is None else {"Item": shown(found)}), 200


def _delete(table: Table, asked: Asked) -> Answer:
    keys = keys_alone(asked.take("Key", dict))
    asked.end()
    table.delete_item(*keys)
    return {}, 200


def _put(table: Table, asked: Asked) -> Answer:
    keys, made = made_row(asked.take("Item", dict))
    condition, names, values = _condition(asked)
    asked.end()
    if names.keys() != condition.names or values.keys() != condition.values:
        raise NotStraight
    if not condition.holds(found_row(table, keys), names, values):
        return _lost()
    table.items[keys.pk][keys.sk] = made
    return {}, 200


def _update(table: Table, asked: Asked) -> Answer:
    keys = keys_alone(asked.take("Key", dict))
    parsed = _CHANGES.fullmatch(asked.take("UpdateExpression", str))
    condition, names, values = _condition(asked)
    asked.end()
    if parsed is None:
        raise NotStraight
    changes = [change.split(" = ") for change in parsed[1].split(", ")]
    used_names, used_values = {name for name, _ in changes}, {value for _, value in changes}
    if names.keys() != condition.names | used_names or values.keys() != condition.values | used_values:
        raise NotStraight
    targets = {names[name]: values[value] for name, value in changes}
    if len(targets) < len(changes) or not targets.keys().isdisjoint({"pk", "sk"}):
        raise NotStraight
    found = found_row(table, keys)
    if not condition.holds(found, names, values):
        return _lost()
    added = sum(len(name.encode()) + value.size() for name, value in targets.items())
    if found is None or size_of(found) + added > LARGEST_ITEM:
        raise NotStraight
    change(found, targets)
    return {"ConsumedCapacity": {"TableName": table.name, "CapacityUnits": 0.5}}, 200


def _condition(asked: Asked) -> tuple[Condition, dict[str, str], dict[str, DynamoType]]:
    """A call's condition, and the names and the values of its expressions."""
    text = asked.take("ConditionExpression", str, default="")
    names = asked.take("ExpressionAttributeNames", dict, default={})
    values = asked.take("ExpressionAttributeValues", dict, default={})
    if not all(type(name) is str and _NAME.fullmatch(name) for name in names.values()):
        raise NotStraight
    return compiled(text), names, {name: value_of(value) for name, value in values.items()}


def _lost() -> Answer:
    return {**_LOST, "Error": dict(_LOST["Error"])}, 400


# ---------------------------------------------------------------- many rows


def _query(table: Table, asked: Asked) -> Answer:
    if asked.take("KeyConditionExpression", str) != _RANGE:
        raise NotStraight
    pk, low, high = _bounds(asked.take("ExpressionAttributeValues", dict))
    limit = asked.take("Limit", int, default=0)
    forward = asked.take("ScanIndexForward", bool, default=True)
    start = asked.take("ExclusiveStartKey", dict, default={})
    asked.take("ConsistentRead", bool, default=False)
    asked.end()
    if limit < 0:
        raise NotStraight
    partition = table.items.get(pk, {})
    rows = sorted(partition.values(), key=lambda row: row.range_key.value, reverse=not forward)
    if start:
        rows = _after(keys_alone(start), pk, rows, forward=forward)
    found, is_cut = _page(rows, low, high, limit)
    items = [shown(row) for row in found]
    answer: dict[str, Any] = {"Items": items, "Count": len(found), "ScannedCount": len(found)}
    if is_cut:
        answer["LastEvaluatedKey"] = {name: items[-1][name] for name in ("pk", "sk")}
    return answer, 200


def _bounds(values: dict[str, Any]) -> tuple[DynamoType, str, str]:
    if values.keys() != {":pk", ":low", ":high"}:
        raise NotStraight
    pk, low, high = (value_of(values[name]) for name in (":pk", ":low", ":high"))
    if not all(key.type == "S" and key.value for key in (pk, low, high)):
        raise NotStraight
    return pk, low.value, high.value


def _after(start: Keys, pk: DynamoType, rows: list[Item], *, forward: bool) -> list[Item]:
    if start.pk != pk:
        raise NotStraight
    last = start.sk.value
    return [row for row in rows if (row.range_key.value > last if forward else row.range_key.value < last)]


def _page(rows: list[Item], low: str, high: str, limit: int) -> tuple[list[Item], bool]:
    """The rows of a page within bounds, and whether moto says that there may be more."""
    weighed = len(rows) * LARGEST_ITEM > RESULT_SIZE_LIMIT
    found: list[Item] = []
    size = 0
    for row in rows:
        weight = size_of(row) if weighed else 0
        if (limit and len(found) == limit) or size + weight > RESULT_SIZE_LIMIT:
            return found, True
        if low <= row.range_key.value <= high:
            found.append(row)
            size += weight
    return found, False


def _read_batch(table: Table, content: Any) -> Answer:
    asked = Asked(content)
    keys = [keys_alone(given) for given in asked.take("Keys", list)]
    asked.take("ConsistentRead", bool, default=False)
    asked.end()
    if not 0 < len(keys) <= _MOST_READ or len(set(keys)) < len(keys):
        raise NotStraight
    found = [row for row in (found_row(table, each) for each in keys) if row is not None]
    if len(found) * LARGEST_ITEM > _LARGEST_BATCH and sum(map(size_of, found)) > _LARGEST_BATCH:
        raise NotStraight
    capacity = [{"TableName": table.name, "CapacityUnits": float(len(keys))}]
    items = [shown(row) for row in found]
    return {"Responses": {table.name: items}, "UnprocessedKeys": {}, "ConsumedCapacity": capacity}, 200


def _write_batch(table: Table, content: Any) -> Answer:
    if type(content) is not list or not 0 < len(content) <= _MOST_WRITTEN:
        raise NotStraight
    changes = [_change(request) for request in content]
    if len({keys for keys, _ in changes}) < len(changes):
        raise NotStraight
    for keys, made in changes:
        if made is None:
            table.delete_item(*keys)
        else:
            table.items[keys.pk][keys.sk] = made
    capacity = [{"TableName": table.name, "CapacityUnits": 1.0, "Table": {"CapacityUnits": 1.0}}]
    return {"UnprocessedItems": {}, "ItemCollectionMetrics": {}, "ConsumedCapacity": capacity}, 200


def _change(request: Any) -> tuple[Keys, Item | None]:
    match request:
        case {"PutRequest": {"Item": given, **rest}, **others} if not rest and not others:
            return made_row(given)
        case {"DeleteRequest": {"Key": given, **rest}, **others} if not rest and not others:
            return keys_alone(given), None
    raise NotStraight


_ANSWERS: dict[str, Callable[[Table, Asked], Answer]] = {
    "DeleteItem": _delete,
    "GetItem": _get,
    "PutItem": _put,
    "Query": _query,
    "UpdateItem": _update,
}
_BATCHES: dict[str, Callable[[Table, Any], Answer]] = {"BatchGetItem": _read_batch, "BatchWriteItem": _write_batch}
