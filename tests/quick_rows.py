"""A row of DynamoDB as moto keeps it, made of what a call gives and shown as botocore answers it.

A row has two keys of text and values that are text, numbers without a point, bytes, true, false or null. All else
raises NotStraight.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Table

from tests.quick_calls import NotStraight

LARGEST_ITEM = 405_000
_LONGEST = (2048, 1024)
_NUMBER = re.compile(r"-?[0-9]{1,38}")
_NESTED = frozenset(("M", "L", "SS", "NS", "BS"))


class Keys(NamedTuple):
    """The two keys of a row, as moto keeps them."""

    pk: DynamoType
    sk: DynamoType


def value_of(given: Any) -> DynamoType:
    """A plain value as moto keeps it."""
    if type(given) is not dict or len(given) != 1:
        raise NotStraight
    ((kind, content),) = given.items()
    match kind:
        case "S" if isinstance(content, str):
            content = str.__str__(content)
        case "N" if type(content) is str and _NUMBER.fullmatch(content):
            pass
        case "B" if type(content) is bytes:
            pass
        case "BOOL" if type(content) is bool:
            pass
        case "NULL" if content is True:
            pass
        case _:
            raise NotStraight
    made = DynamoType.__new__(DynamoType)
    made.type, made.value = kind, content
    return made


def _keys(given: Any) -> Keys:
    """The keys of a row, from those alone or from the whole row."""
    found = []
    for name, longest in zip(("pk", "sk"), _LONGEST, strict=True):
        key = value_of(given.get(name))
        if key.type != "S" or not 0 < key.size() <= longest:
            raise NotStraight
        found.append(key)
    return Keys(*found)


def keys_alone(given: Any) -> Keys:
    if type(given) is not dict or given.keys() != {"pk", "sk"}:
        raise NotStraight
    return _keys(given)


def found_row(table: Table, keys: Keys) -> Item | None:
    partition = table.items.get(keys.pk)
    return None if partition is None else partition.get(keys.sk)


class Weighed(LimitedSizeDict):
    """The attributes of a row made here, and its size until moto changes them: a query weighs each row that it sees."""

    weight: int | None = None

    def __setitem__(self, name: str, value: Any) -> None:
        self.weight = None
        super().__setitem__(name, value)

    def __delitem__(self, name: str) -> None:
        self.weight = None
        super().__delitem__(name)

    def pop(self, *arguments: Any) -> Any:
        self.weight = None
        return super().pop(*arguments)


def size_of(item: Item) -> int:
    attributes: dict[str, DynamoType] = item.attrs
    if type(attributes) is not Weighed:
        return _summed(attributes)
    if attributes.weight is None:
        weight = _summed(attributes)
        if _NESTED.isdisjoint(value.type for value in tuple(attributes.values())):
            attributes.weight = weight
        return weight
    return attributes.weight


def _summed(attributes: dict[str, DynamoType]) -> int:
    return sum(len(name.encode()) + value.size() for name, value in tuple(attributes.items()))


def change(item: Item, values: dict[str, DynamoType]) -> None:
    """Put values into a row."""
    for name, value in values.items():
        dict.__setitem__(item.attrs, name, value)
    if type(item.attrs) is Weighed:
        item.attrs.weight = None


def made_row(given: Any) -> tuple[Keys, Item]:
    if type(given) is not dict:
        raise NotStraight
    keys, made = _keys(given), object.__new__(Item)
    made.hash_key, made.range_key, made.attrs = keys.pk, keys.sk, Weighed()
    for name, value in given.items():
        if type(name) is not str or not name:
            raise NotStraight
        dict.__setitem__(made.attrs, name, value_of(value))
    if size_of(made) > LARGEST_ITEM:
        raise NotStraight
    return keys, made


def shown(item: Item) -> dict[str, Any]:
    """A row as botocore answers it."""
    attributes = {}
    for name, value in tuple(item.attrs.items()):
        if value.type in _NESTED or (value.type == "B" and type(value.value) is str):
            raise NotStraight
        attributes[name] = {value.type: value.value}
    return attributes
