"""The parameters of a call, checked and copied in one walk by functions that are made once for each shape.

What passes here passes botocore's validation, and nothing that a caller holds is in the copy: its values are of plain
types, as JSON would bring them to moto. Whatever else is given raises NotStraight, also what botocore might take: it
then says so itself, or takes it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.quick_calls import NotStraight

type Take = Callable[[Any], Any]

_PLAIN: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "blob": (bytes,),
}
_KEPT = "taken by"


def taken(given: Any, shape: Any) -> Any:
    """A copy of what is given for a shape, or NotStraight."""
    return _taker(shape)(given)


def _taker(shape: Any) -> Take:
    """The function of a shape, kept with it. Those of its members are made as they are needed: some hold themselves."""
    found: Take | None = shape._cache.get(_KEPT)
    if found is None:
        found = shape._cache[_KEPT] = _made(shape)
    return found


def _made(shape: Any) -> Take:
    match shape.type_name:
        case "structure" if not (shape.is_tagged_union or shape.is_document_type):
            return _structure(shape)
        case "list":
            return _list(shape)
        case "map":
            return _map(shape)
        case kind if kind in _PLAIN:
            return _scalar(_PLAIN[kind], shape.metadata.get("min"))
    return _refuse


def _refuse(_: Any) -> Any:
    raise NotStraight


def _scalar(kinds: tuple[type, ...], least: int | None) -> Take:
    def take(given: Any) -> Any:
        if type(given) not in kinds:
            if not (str in kinds and isinstance(given, str)):
                raise NotStraight
            given = str.__str__(given)
        if least is not None and (len(given) if isinstance(given, str | bytes) else given) < least:
            raise NotStraight
        return given

    return take


def _structure(shape: Any) -> Take:
    members, required = shape.members, frozenset(shape.metadata.get("required", ()))

    def take(given: Any) -> Any:
        if type(given) is not dict or not required <= given.keys() <= members.keys():
            raise NotStraight
        return {name: _taker(members[name])(value) for name, value in given.items()}

    return take


def _list(shape: Any) -> Take:
    least = shape.metadata.get("min", 0)

    def take(given: Any) -> Any:
        if type(given) not in (list, tuple) or len(given) < least:
            raise NotStraight
        member = _taker(shape.member)
        return [member(value) for value in given]

    return take


def _map(shape: Any) -> Take:
    def take(given: Any) -> Any:
        if type(given) is not dict:
            raise NotStraight
        key, value = _taker(shape.key), _taker(shape.value)
        return {key(name): value(content) for name, content in given.items()}

    return take
