"""Graders and a formula over their scores, which together become a criterion.

A single grader becomes a plain criterion, several become a `multi`. Parts with `threshold` None give 0 or 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from stillhouse.importing.promptfoo.texts import of_number

OUTPUT = "{{ sample.output_text }}"
VALUES = "assert_values"
"""The row's field for the values of asserts that differ from test to test."""


@dataclass(frozen=True)
class Value:
    """A text of an assert, as a template. With `in_row` it is stored in the row even if all tests share it."""

    text: str
    in_row: bool = False


@dataclass(frozen=True)
class Part:
    """Graders, and a formula with `{0}`, `{1}`, … for their scores; it passes at `threshold`."""

    graders: list[dict[str, Any]]
    formula: str = "{0}"
    threshold: float | None = None

    def inverted(self) -> Part:
        return Part(self.graders, f"1 - {self.as_passed()}")

    def as_passed(self) -> str:
        """Return a formula that gives 1 if the part passes and 0 if it fails. Formulas have no comparison operators."""
        if self.threshold is None:
            return self.formula if self.formula == "{0}" else f"({self.formula})"
        return f"min(1, floor(({self.formula}) / {self.threshold}))" if self.threshold > 0 else "1"

    def criterion(self, name: str) -> dict[str, Any]:
        if self.formula == "{0}":
            return {"name": name, **self.graders[0]}
        names = [f"g{number}" for number in range(len(self.graders))]
        parts = {
            grader_name: {"name": grader_name, **grader}
            for grader_name, grader in zip(names, self.graders, strict=True)
        }
        formula = self.formula.format(*names)
        threshold = 1 if self.threshold is None else self.threshold
        return {
            "type": "multi", "name": name, "graders": parts, "calculate_output": formula, "pass_threshold": threshold,
        }  # fmt: skip


@dataclass(frozen=True)
class Check:
    """An assert of one test. Tests whose checks have the same `signature` share a criterion.

    `build` makes the graders. It is given a text for each value: a template of Stillhouse, or a reference to the row.
    """

    name: str
    signature: str
    build: Callable[[Sequence[str]], Part]
    values: tuple[Value, ...] = ()
    weight: float = 1


def joined(parts: Sequence[Part], formulas: Sequence[str], around: Callable[[list[str]], str]) -> Part:
    """Join the graders of all parts under one formula; `around` builds it from the formulas of the parts."""
    graders: list[dict[str, Any]] = []
    shifted: list[str] = []
    for part, formula in zip(parts, formulas, strict=True):
        places = [f"{{{number + len(graders)}}}" for number in range(len(part.graders))]
        shifted.append(formula.format(*places))
        graders += part.graders
    return Part(graders, around(shifted))


def together(checks: Sequence[Check], name: str, threshold: float | None, weight: float = 1) -> Check:
    """Build Promptfoo's `assert-set`: all checks pass, or the weighted mean of their scores reaches the threshold."""
    weights = [check.weight for check in checks]

    def build(values: Sequence[str]) -> Part:
        parts, begin = [], 0
        for check in checks:
            parts.append(check.build(values[begin : begin + len(check.values)]))
            begin += len(check.values)
        if threshold is None:
            return joined(parts, [part.as_passed() for part in parts], lambda all_of: f"min({', '.join(all_of)})")
        mean = joined(parts, [f"({part.formula})" for part in parts], lambda all_of: _mean(all_of, weights))
        return Part(mean.graders, mean.formula, threshold)

    signature = f"set {threshold} {weights} {[check.signature for check in checks]}"
    return Check(name, signature, build, tuple(value for check in checks for value in check.values), weight)


def _mean(formulas: list[str], weights: list[float]) -> str:
    terms = [f"{of_number(weight)} * {formula}" for weight, formula in zip(weights, formulas, strict=True)]
    return f"({' + '.join(terms)}) / {of_number(sum(weights))}"
