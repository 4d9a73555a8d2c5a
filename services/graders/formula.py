"""The formulas of `multi`: arithmetic over the scores of its graders.

`+ - * / ^`, parentheses, numbers, names, and `min max abs floor ceil exp sqrt log` (natural). `^` binds to the right
and before a minus. A formula is read once into postfix steps; nothing is ever evaluated as code. What cannot be read
raises ValueError naming the place; what has no finite value for these scores raises ArithmeticError or ValueError.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

LONGEST = 1000
_DEEPEST = 40
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<sign>\S))", re.ASCII
)
_ANY_NUMBER = 0
_FUNCTIONS: dict[str, tuple[Callable[..., float], int]] = {
    "min": (lambda *scores: min(scores), _ANY_NUMBER),
    "max": (lambda *scores: max(scores), _ANY_NUMBER),
    "abs": (abs, 1),
    # As floats: whole numbers have no bound, and a power of them may take for ever.
    "floor": (lambda score: float(math.floor(score)), 1),
    "ceil": (lambda score: float(math.ceil(score)), 1),
    "exp": (math.exp, 1),
    "sqrt": (math.sqrt, 1),
    "log": (math.log, 1),
}
_SUMS = {"+": operator.add, "-": operator.sub}
_PRODUCTS = {"*": operator.mul, "/": operator.truediv}


def _power(base: float, exponent: float) -> float:
    try:
        return math.pow(base, exponent)
    except ValueError as error:
        raise ArithmeticError(f"{base:g} ^ {exponent:g} is no real number") from error


class _Apply(NamedTuple):
    function: Callable[..., float]
    arguments: int


class Formula:
    """A parsed formula. `names` are the graders whose scores it uses."""

    def __init__(self, text: str) -> None:
        self._steps = _Reader(text).steps()
        self.names = {step for step in self._steps if isinstance(step, str)}

    def value(self, scores: Mapping[str, float]) -> float:
        stack: list[float] = []
        for step in self._steps:
            if isinstance(step, _Apply):
                arguments = stack[-step.arguments :]
                del stack[-step.arguments :]
                stack.append(step.function(*arguments))
            else:
                stack.append(scores[step] if isinstance(step, str) else step)
        (value,) = stack
        if not math.isfinite(value):
            raise ArithmeticError("it has no finite value")
        return float(value)


class _Reader:
    """Recursive descent over the tokens, which emits postfix steps."""

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            raise ValueError(f"a formula has at most {LONGEST} characters")
        self._tokens = [(match.lastgroup, match.group().strip()) for match in _TOKEN.finditer(text)]
        self._at = 0
        self._depth = 0
        self._steps: list[float | str | _Apply] = []

    def steps(self) -> list[float | str | _Apply]:
        self._sum()
        if self._at < len(self._tokens):
            raise self._unexpected()
        return self._steps

    def _sum(self) -> None:
        self._chain(self._product, _SUMS)

    def _product(self) -> None:
        self._chain(self._signed, _PRODUCTS)

    def _chain(self, part: Callable[[], None], operations: dict[str, Callable[..., float]]) -> None:
        part()
        while (sign := self._next()[1]) in operations:
            self._at += 1
            part()
            self._steps.append(_Apply(operations[sign], 2))

    def _signed(self) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError(f"a formula is at most {_DEEPEST} levels deep")
        if self._takes("-"):
            self._signed()
            self._steps.append(_Apply(operator.neg, 1))
        else:
            self._power()
        self._depth -= 1

    def _power(self) -> None:
        self._operand()
        if self._takes("^"):
            self._signed()
            self._steps.append(_Apply(_power, 2))

    def _operand(self) -> None:
        kind, text = self._next()
        if kind == "number":
            self._at += 1
            self._steps.append(float(text))
        elif kind == "name":
            self._at += 1
            if self._takes("("):
                self._call(text)
            else:
                self._steps.append(text)
        elif self._takes("("):
            self._sum()
            self._wants(")")
        else:
            raise self._unexpected()

    def _call(self, name: str) -> None:
        if name not in _FUNCTIONS:
            raise ValueError(f"'{name}' is none of the functions {', '.join(_FUNCTIONS)}")
        function, wanted = _FUNCTIONS[name]
        self._sum()
        given = 1
        while self._takes(","):
            self._sum()
            given += 1
        self._wants(")")
        if wanted not in (given, _ANY_NUMBER):
            raise ValueError(f"'{name}' takes {wanted} argument, not {given}")
        self._steps.append(_Apply(function, given))

    def _next(self) -> tuple[str | None, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else (None, "")

    def _takes(self, sign: str) -> bool:
        taken = self._next()[1] == sign
        self._at += taken
        return taken

    def _wants(self, sign: str) -> None:
        if not self._takes(sign):
            raise self._unexpected()

    def _unexpected(self) -> ValueError:
        text = self._next()[1]
        place = f"at '{text}', its part {self._at + 1}" if text else "at its end"
        return ValueError(f"the formula cannot be read {place}")
