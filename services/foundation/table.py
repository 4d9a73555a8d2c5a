"""Read and write rows of the stack's one DynamoDB table.

A row is a dict with the keys `pk` and `sk`. Its values are text, bytes, integers, booleans and None, no floats. Reads
are strongly consistent unless the caller asks otherwise. A conditional write returns False if its condition does not
hold; a row that is larger than DynamoDB takes raises TooLarge; all else that fails raises botocore's ClientError.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import batched
from typing import Any

from botocore.exceptions import ClientError

from foundation import aws
from foundation.errors import RetryLater, TooLarge
from foundation.pauses import pauses
from foundation.settings import settings

type Row = dict[str, Any]

_TOO_LARGE = "exceeded the maximum allowed size"
_LONGEST_PK = 2048
_LONGEST_SK = 1024
_WRITE_BATCH = 25
_READ_BATCH = 100
_BATCH_ATTEMPTS = 8


def _plain(value: Mapping[str, Any]) -> Any:
    """The Python value of an attribute in DynamoDB's form, such as `{"N": "1"}`."""
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return int(content)
        case "NULL":
            return None
        case _:
            return content


def _attribute(value: Any) -> dict[str, Any]:
    """The inverse of `_plain`. Raises TypeError for a value of another type."""
    match value:
        case str():
            return {"S": value}
        case bytes():
            return {"B": value}
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case None:
            return {"NULL": True}
        case _:
            raise TypeError(f"A row holds no {type(value).__name__}")


def _row(item: Mapping[str, Any]) -> Row:
    return {name: _plain(value) for name, value in item.items()}


def _item(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _attribute(value) for name, value in row.items()}


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _is_possible(pk: str, sk: str) -> bool:
    """Whether DynamoDB takes these keys: neither is empty, nor longer in bytes than its limit."""
    return 0 < len(pk.encode()) <= _LONGEST_PK and 0 < len(sk.encode()) <= _LONGEST_SK


def _lost_condition(error: ClientError) -> bool:
    return error.response["Error"]["Code"] == "ConditionalCheckFailedException"


@contextmanager
def _within_its_size() -> Iterator[None]:
    """Raise DynamoDB's refusal of a row that is too large as TooLarge. It does not say which attribute is."""
    try:
        yield
    except ClientError as error:
        told = error.response["Error"]
        if told["Code"] == "ValidationException" and _TOO_LARGE in told.get("Message", ""):
            raise TooLarge(
                "This is more than one object can keep, 400 KB in all. Make what it holds shorter.",
                code="object_too_large",
            ) from error
        raise


def _wrote_before(error: ClientError, pk: str, sk: str, fields: Mapping[str, Any]) -> bool:
    """Whether a repeated write lost its condition to its own first attempt, whose answer never came.

    Then the row has what was to be written. Another call that wrote the very same makes no difference to callers.
    """
    if not error.response["ResponseMetadata"].get("RetryAttempts"):
        return False
    row = get(pk, sk)
    return row is not None and all(name in row and row[name] == value for name, value in fields.items())


def get(pk: str, sk: str) -> Row | None:
    """The row with these keys, or None; also where no row can have them."""
    if not _is_possible(pk, sk):
        return None
    answer = aws.dynamodb().get_item(TableName=settings().TABLE, Key=_key(pk, sk), ConsistentRead=True)
    item = answer.get("Item")
    return _row(item) if item else None


def put(row: Row) -> None:
    """Write the row over whatever is there. Only for rows that may be written twice without harm."""
    with _within_its_size():
        aws.dynamodb().put_item(TableName=settings().TABLE, Item=_item(row))


def put_new(row: Row) -> bool:
    """Write the row unless one with its keys exists. Returns True if this call wrote it."""
    return put_unless(row, "pk")


def put_unless(row: Row, attribute: str) -> bool:
    """Write the row unless the existing one with its keys has this attribute. Returns True if this call wrote it."""
    try:
        with _within_its_size():
            aws.dynamodb().put_item(
                TableName=settings().TABLE,
                Item=_item(row),
                ConditionExpression="attribute_not_exists(#attribute)",
                ExpressionAttributeNames={"#attribute": attribute},
            )
    except ClientError as error:
        if _lost_condition(error):
            return _wrote_before(error, row["pk"], row["sk"], row)
        raise
    return True


def update(
    pk: str,
    sk: str,
    changes: Mapping[str, Any],
    *,
    where: Mapping[str, Any] | None = None,
    condition: str | None = None,
    values: Mapping[str, Any] | None = None,
) -> bool:
    """Set the attributes `changes` of an existing row, if every attribute in `where` has the value given there.

    In `where`, None matches an attribute that is null or missing. `condition` adds a DynamoDB expression, in which
    `#name` stands for a changed attribute and `:name` for an entry of `values`. Returns False if the row does not exist
    or a condition does not hold.
    """
    names = {f"#{name}": name for name in (*changes, *(where or {}))}
    bound = {f":{name}": _attribute(value) for name, value in (values or {}).items()}
    sets, conditions = [], ["attribute_exists(pk)"]
    for name, value in changes.items():
        bound[f":to_{name}"] = _attribute(value)
        sets.append(f"#{name} = :to_{name}")
    for name, value in (where or {}).items():
        if value is None:
            bound[":null"] = {"S": "NULL"}
            conditions.append(f"(attribute_not_exists(#{name}) OR attribute_type(#{name}, :null))")
        else:
            bound[f":was_{name}"] = _attribute(value)
            conditions.append(f"#{name} = :was_{name}")
    if condition:
        conditions.append(f"({condition})")
    try:
        with _within_its_size():
            aws.dynamodb().update_item(
                TableName=settings().TABLE,
                Key=_key(pk, sk),
                UpdateExpression="SET " + ", ".join(sets),
                ConditionExpression=" AND ".join(conditions),
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=bound,
            )
    except ClientError as error:
        if _lost_condition(error):
            return _wrote_before(error, pk, sk, changes)
        raise
    return True


def delete(pk: str, sk: str) -> None:
    aws.dynamodb().delete_item(TableName=settings().TABLE, Key=_key(pk, sk))


def query(
    pk: str,
    *,
    prefix: str = "",
    after: str | None = None,
    before: str | None = None,
    descending: bool = False,
    limit: int | None = None,
    consistent: bool = True,
) -> Iterator[Row]:
    """The rows of the partition `pk` in the order of `sk`, fetched page by page as they are asked for.

    Only rows whose `sk` starts with `prefix`, is greater than `after` and less than `before`; both bounds are in the
    order of `sk` also when the rows are read `descending`. A partition that cannot be has no rows.
    """
    low = _bound(max(prefix, f"{after}\x00") if after is not None else prefix)
    high = prefix + "\U0010ffff"
    if before is not None:
        high = min(high, before)
    high = _bound(high)
    if low > high or not _is_possible(pk, high):
        return
    request: dict[str, Any] = {
        "TableName": settings().TABLE,
        "KeyConditionExpression": "pk = :pk AND sk BETWEEN :low AND :high",
        "ExpressionAttributeValues": {":pk": {"S": pk}, ":low": {"S": low or "\x00"}, ":high": {"S": high}},
        "ConsistentRead": consistent,
        "ScanIndexForward": not descending,
        **({"Limit": limit} if limit else {}),
    }
    count = 0
    while True:
        page = aws.dynamodb().query(**request)
        for item in page["Items"]:
            row = _row(item)
            if (before is not None and row["sk"] >= before) or (after is not None and row["sk"] <= after):
                continue
            yield row
            count += 1
            if limit and count >= limit:
                return
        if "LastEvaluatedKey" not in page:
            return
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _bound(text: str) -> str:
    """As much of a bound as a sort key may have; no sort key lies between it and the whole."""
    return text if len(text) <= _LONGEST_SK // 4 else text.encode()[:_LONGEST_SK].decode(errors="ignore")


def write_all(rows: Iterable[Row]) -> None:
    """Write many rows over whatever is there, 25 a call. Raises RetryLater if DynamoDB keeps throttling.

    Of several rows with the same keys the last is written.
    """

    def write(pending: dict[str, Any]) -> Mapping[str, Any]:
        return aws.dynamodb().batch_write_item(RequestItems=pending)["UnprocessedItems"]

    unique = {(row["pk"], row["sk"]): row for row in rows}
    for chunk in batched(unique.values(), _WRITE_BATCH, strict=False):
        pending: dict[str, Any] = {settings().TABLE: [{"PutRequest": {"Item": _item(row)}} for row in chunk]}
        _until_done(write, pending)


def get_all(keys: Iterable[tuple[str, str]], *, consistent: bool = True) -> dict[tuple[str, str], Row]:
    """The rows with these keys, 100 a call, by key; keys without a row, or that no row can have, are left out.

    Raises RetryLater if DynamoDB keeps throttling.
    """
    rows: dict[tuple[str, str], Row] = {}

    def read(pending: dict[str, Any]) -> Mapping[str, Any]:
        answer = aws.dynamodb().batch_get_item(RequestItems=pending)
        for item in answer["Responses"].get(settings().TABLE, []):
            row = _row(item)
            rows[row["pk"], row["sk"]] = row
        return answer["UnprocessedKeys"]

    possible = (key for key in dict.fromkeys(keys) if _is_possible(*key))
    for chunk in batched(possible, _READ_BATCH, strict=False):
        pending: dict[str, Any] = {
            settings().TABLE: {"Keys": [_key(pk, sk) for pk, sk in chunk], "ConsistentRead": consistent}
        }
        _until_done(read, pending)
    return rows


def _until_done(call: Callable[[dict[str, Any]], Mapping[str, Any]], pending: Mapping[str, Any]) -> None:
    """Make a batch call, then again with what it answers as undone; raises RetryLater where something stays undone."""
    waits = pauses(0.1, 2.0)
    for attempt in range(_BATCH_ATTEMPTS):
        if attempt:
            time.sleep(next(waits))
        pending = call(dict(pending))
        if not pending:
            return
    raise RetryLater("DynamoDB leaves part of a batch unprocessed")
