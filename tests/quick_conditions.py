"""Conditions of DynamoDB read once for each text, as far as `foundation.table` and its callers write them.

They compare attributes with values and ask whether there are any, joined by AND and OR. What else a text says raises
NotStraight, and so does a comparison that moto would stumble over.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from moto.dynamodb.models.dynamo_type import DynamoType, Item

from tests.quick_calls import NotStraight

type Test = Callable[[Item | None, dict[str, str], dict[str, DynamoType]], bool]

_WORD = re.compile(r"\s*([#:]\w+|\w+|<=|>=|<>|[=<>(),])", re.ASCII)
_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_KEYS = frozenset(("pk", "sk"))


class Condition(NamedTuple):
    """What holds of a row or not, and which names and values its text has."""

    holds: Test
    names: frozenset[str]
    values: frozenset[str]


@cache
def compiled(text: str) -> Condition:
    """The condition of a text; the empty one always holds."""
    words = _words(text)
    used = {kind: frozenset(word for word in words if word.startswith(kind)) for kind in "#:"}
    if not words:
        return Condition(lambda *_: True, frozenset(), frozenset())
    parser = _Parser(words)
    test = parser.either()
    if parser.left:
        raise NotStraight
    return Condition(test, used["#"], used[":"])


def _words(text: str) -> list[str]:
    words, place = [], 0
    while place < len(text):
        found = _WORD.match(text, place)
        if found is None:
            raise NotStraight
        words.append(found[1])
        place = found.end()
    return words


class _Parser:
    def __init__(self, words: list[str]) -> None:
        self.left = words[::-1]

    def next(self) -> str:
        if not self.left:
            raise NotStraight
        return self.left.pop()

    def expect(self, word: str) -> None:
        if self.next() != word:
            raise NotStraight

    def either(self) -> Test:
        return self._joined("OR", self.both, any)

    def both(self) -> Test:
        return self._joined("AND", self.one, all)

    def _joined(self, word: str, part: Callable[[], Test], join: Callable[[Any], bool]) -> Test:
        tests = [part()]
        while self.left and self.left[-1] == word:
            self.next()
            tests.append(part())
        if len(tests) == 1:
            return tests[0]
        return lambda row, names, values: join(test(row, names, values) for test in tests)

    def one(self) -> Test:
        word = self.next()
        match word:
            case "(":
                return self._group()
            case "attribute_exists":
                of = self._in_parentheses()
                return lambda row, names, _: _attribute(row, names.get(of, of)) is not None
            case "attribute_not_exists":
                of = self._in_parentheses()
                return lambda row, names, _: _attribute(row, names.get(of, of)) is None
            case "attribute_type":
                return self._type()
        return self._comparison(word)

    def _group(self) -> Test:
        """What is in parentheses. moto refuses two pairs of them about the same."""
        if self.left and self.left[-1] == "(":
            raise NotStraight
        test = self.either()
        self.expect(")")
        return test

    def _in_parentheses(self) -> str:
        self.expect("(")
        name = self._path()
        self.expect(")")
        return name

    def _path(self) -> str:
        name = self.next()
        if not (name.startswith("#") or name in _KEYS):
            raise NotStraight
        return name

    def _value(self) -> str:
        name = self.next()
        if not name.startswith(":"):
            raise NotStraight
        return name

    def _type(self) -> Test:
        self.expect("(")
        of = self._path()
        self.expect(",")
        wanted = self._value()
        self.expect(")")

        def holds(row: Item | None, names: dict[str, str], values: dict[str, DynamoType]) -> bool:
            found = _attribute(row, names.get(of, of))
            return (None if found is None else found.type) == values[wanted].cast_value

        return holds

    def _comparison(self, of: str) -> Test:
        if not (of.startswith("#") or of in _KEYS):
            raise NotStraight
        word = self.next()
        if word == "IN":
            return self._among(of)
        compare, ordered, with_ = _COMPARED.get(word), word not in {"=", "<>"}, self._value()
        if compare is None:
            raise NotStraight

        def holds(row: Item | None, names: dict[str, str], values: dict[str, DynamoType]) -> bool:
            found, other = _content(row, names.get(of, of)), values[with_].cast_value
            if not ordered:
                return compare(found, other)
            if found is None or other is None:
                return False
            if type(found) is not type(other):
                raise NotStraight
            return compare(found, other)

        return holds

    def _among(self, of: str) -> Test:
        self.expect("(")
        wanted = [self._value()]
        while (word := self.next()) == ",":
            wanted.append(self._value())
        if word != ")":
            raise NotStraight

        def holds(row: Item | None, names: dict[str, str], values: dict[str, DynamoType]) -> bool:
            found = _content(row, names.get(of, of))
            return any(found == values[value].cast_value for value in wanted)

        return holds


def _attribute(row: Item | None, name: str) -> DynamoType | None:
    return None if row is None else row.attrs.get(name)


def _content(row: Item | None, name: str) -> Any:
    found = _attribute(row, name)
    return None if found is None else found.cast_value
