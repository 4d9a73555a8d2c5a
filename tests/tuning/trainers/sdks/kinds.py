"""Holds a JSON value against a type of an SDK: a TypedDict, a pydantic model, a literal, what is made of them.

A field that the type lacks is a difference, as is one that it must have and the value lacks, and a wrong literal.
"""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple, Union

import pydantic
import typing_extensions

_TAGS = {typing_extensions.Required, typing_extensions.NotRequired, typing.Annotated}
_PLAIN: dict[Any, tuple[type, ...]] = {str: (str,), int: (int,), float: (int, float), type(None): (type(None),)}


class Field(NamedTuple):
    """A field of an object: what it is called in Python, its type, and whether it must be there."""

    argument: str
    kind: Any
    required: bool


def fields_of(kind: Any) -> dict[str, Field]:
    """The fields of a TypedDict or of a model, by their names in JSON."""
    if typing_extensions.is_typeddict(kind):
        hints = typing_extensions.get_type_hints(kind, include_extras=True)
        return dict(_argument(name, hint) for name, hint in hints.items())
    return {
        field.alias or name: Field(name, field.annotation, field.is_required())
        for name, field in kind.model_fields.items()
    }


def _argument(name: str, hint: Any) -> tuple[str, Field]:
    """A field of a TypedDict of an SDK: all of them are `total=False`, and say what is required, and an alias."""
    alias, required, kind = name, False, hint
    while (origin := typing.get_origin(kind)) in _TAGS:
        required |= origin is typing_extensions.Required
        for note in getattr(kind, "__metadata__", ()):
            alias = getattr(note, "alias", None) or alias
        kind = typing.get_args(kind)[0]
    return alias, Field(name, kind, required)


def differences_of_fields(value: Any, fields: dict[str, Field], where: str) -> list[str]:
    """How an object differs from these fields."""
    if not isinstance(value, dict):
        return [f"{where} is {value!r}, and an object is wanted"]
    unknown = [f"{where}.{name} is unknown" for name in value.keys() - fields.keys()]
    lacking = [f"{where}.{name} is wanted" for name, field in fields.items() if field.required and name not in value]
    known = [(name, field) for name, field in fields.items() if name in value]
    inner = [found for name, field in known for found in differences(value[name], field.kind, f"{where}.{name}")]
    return [*sorted(unknown), *sorted(lacking), *inner]


def differences(value: Any, kind: Any, where: str) -> list[str]:
    """How a value differs from a type; of several types, from that which it is nearest to."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in _TAGS:
        return differences(value, inner[0], where)
    if kind is Any or kind is object:
        return []
    if origin in {Union, types.UnionType}:
        return min((differences(value, one, where) for one in inner), key=len)
    if origin in {list, Iterable, Sequence}:
        return _of_list(value, inner[0], where)
    if origin in {dict, Mapping}:
        return _of_map(value, inner[1], where)
    if typing_extensions.is_typeddict(kind) or (isinstance(kind, type) and issubclass(kind, pydantic.BaseModel)):
        return differences_of_fields(value, fields_of(kind), where)
    return [] if _is(value, kind, origin, inner) else [f"{where} is {value!r}, and {kind} is wanted"]


def _of_list(value: Any, kind: Any, where: str) -> list[str]:
    if not isinstance(value, list):
        return [f"{where} is {value!r}, and a list is wanted"]
    return [found for one in value for found in differences(one, kind, f"{where}[]")]


def _of_map(value: Any, kind: Any, where: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where} is {value!r}, and an object is wanted"]
    return [found for name, one in value.items() for found in differences(one, kind, f"{where}.{name}")]


def _is(value: Any, kind: Any, origin: Any, inner: tuple[Any, ...]) -> bool:
    """Whether a plain value is of a type. A boolean is no number."""
    if origin is Literal:
        return any(value == one and type(value) is type(one) for one in inner)
    if kind is bool or isinstance(value, bool):
        return kind is bool and isinstance(value, bool)
    if kind in _PLAIN:
        return isinstance(value, _PLAIN[kind])
    if kind is datetime:
        return _is_time(value)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return value in {one.value for one in kind}
    raise TypeError(f"{kind!r} is a type that is not known here")


def _is_time(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False
