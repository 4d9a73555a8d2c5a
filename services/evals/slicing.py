"""Slices: the rows of a run that share a tag, a metadata key or a scalar field of their item.

In: the items of rows, and the keys to slice them by. Out: the slices that have enough rows for a figure, and the keys
and values that were left out, each with the reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from foundation.document import Document
from graders.grade import NotGradable
from graders.template import look_up

LEAST_ROWS = 20
MOST_VALUES = 50
MOST_KEYS = 20
LONGEST_FIELD = 64
_FIELD = "item."
_IDENTITY = "completion_id"

type Tagging = Callable[[dict[str, Any]], dict[str, str]]


@dataclass(frozen=True)
class Slice:
    """The rows, by name, that have one value under a key."""

    key: str
    value: str
    rows: list[str]


class LeftOut(Document):
    """A key, or one value of it, that no figure is given for, and why."""

    key: str
    value: str | None
    """Null where the whole key is left out."""
    rows: int
    """Rows that have it."""
    reason: str


def metadata_of(item: dict[str, Any]) -> dict[str, str]:
    """The metadata of a row's item, as text; what is no scalar tags nothing."""
    metadata = item.get("metadata")
    texts = {name: _text(value) for name, value in metadata.items()} if isinstance(metadata, dict) else {}
    return {name: text for name, text in texts.items() if text is not None}


def every_tag(item: dict[str, Any]) -> dict[str, str]:
    """Metadata by its keys, and each scalar field of the item as `item.<field>`: its reference or label among them."""
    fields = {f"{_FIELD}{name}": _label(value) for name, value in item.items() if name != _IDENTITY}
    return {name: text for name, text in {**metadata_of(item), **fields}.items() if text is not None}


def named_tags(keys: Iterable[str]) -> Tagging:
    """A tagging by these keys alone: `item.` begins the path of a field, anything else is a metadata key."""
    named = list(keys)

    def tags(item: dict[str, Any]) -> dict[str, str]:
        values = {key: _at(key, item) for key in named}
        return {key: value for key, value in values.items() if value is not None}

    return tags


def with_group(tags_of: Tagging, key: str) -> Tagging:
    """The tagging with the key by which rows are grouped added. Its values may be long, since they are not shown."""

    def tags(item: dict[str, Any]) -> dict[str, str]:
        group = group_of(item, key)
        return {**tags_of(item), **({} if group is None else {key: group})}

    return tags


def group_of(item: dict[str, Any], key: str) -> str | None:
    """The value by which a row is grouped; None if the row has none."""
    return _text(_value_at(key, item))


def slices(tags: Mapping[str, Mapping[str, str]], keys: Iterable[str] = ()) -> tuple[list[Slice], list[LeftOut]]:
    """The slices of rows by their tags, in the order of key and value; of `keys`, those that no row has are named.

    A slice has at least 20 rows and not all of them; a key has at most 50 values; 20 keys are taken.
    """
    by_key: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row, own in tags.items():
        for key, value in own.items():
            by_key[key][value].append(row)
    absent = f"No row has it, or none as a single value (of a field at most {LONGEST_FIELD} characters)."
    left_out = [LeftOut(key=key, value=None, rows=0, reason=absent) for key in keys if key not in by_key]
    shown: list[Slice] = []
    taken = 0
    for key, values in sorted(by_key.items()):
        unfit = _unfit(values, taken)
        if unfit:
            left_out.append(LeftOut(key=key, value=None, rows=sum(map(len, values.values())), reason=unfit))
            continue
        taken += 1
        for value, rows in sorted(values.items()):
            reason = _too_few_or_all(len(rows), len(tags))
            if reason:
                left_out.append(LeftOut(key=key, value=value, rows=len(rows), reason=reason))
            else:
                shown.append(Slice(key, value, rows))
    return shown, left_out


def _too_few_or_all(rows: int, every: int) -> str | None:
    if rows < LEAST_ROWS:
        return f"Fewer than {LEAST_ROWS} rows."
    return "Every row has it." if rows == every else None


def _unfit(values: Mapping[str, list[str]], taken: int) -> str | None:
    if len(values) > MOST_VALUES:
        return f"It has {len(values)} values; at most {MOST_VALUES} make slices."
    if taken == MOST_KEYS:
        return f"Only {MOST_KEYS} keys are taken; ask for this one by name."
    return None


def _at(key: str, item: dict[str, Any]) -> str | None:
    value = _value_at(key, item)
    return _label(value) if key.startswith(_FIELD) else _text(value)


def _value_at(key: str, item: dict[str, Any]) -> Any:
    if not key.startswith(_FIELD):
        return metadata_of(item).get(key)
    try:
        return look_up(key, {"item": item})
    except NotGradable:
        return None


def _label(value: Any) -> str | None:
    """A field's value as a tag; None if it is long, since such a value is content and no label."""
    text = _text(value)
    return text if text is not None and len(text) <= LONGEST_FIELD else None


def _text(value: Any) -> str | None:
    """A scalar as JSON spells it; None for anything else."""
    match value:
        case bool():
            return "true" if value else "false"
        case str() | int() | float():
            return str(value)
        case _:
            return None
