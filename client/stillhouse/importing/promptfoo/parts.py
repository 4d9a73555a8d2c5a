"""What an assert comes to: graders and a formula over their scores, which becomes a criterion.

One grader alone is a plain criterion, several are a `multi`. Parts with `threshold` None give 0 or 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from stillhouse.importing.promptfoo.texts import of_number

OUTPUT = "{{ sample.output_text }}"
VALUES = "assert_values"
"""Where a row holds what its asserts do not share with those of other tests."""


@dataclass(frozen=True)
class Value:
    """A text of an assert, as a template. With `in_row` it stands in the row even if all tests share it."""

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
        """A formula that is 1 where it passes and 0 where it fails, which formulas cannot say by comparing."""
        if self.threshold is None:
            return self.formula if self.formula == "{0}" else f"({self.formula})"
        return f"min(1, floor(({self.formula}) / {self.threshold}))" if self.threshold > 0 else "1"

    def criterion(self, name: str) -> dict[str, Any]:
        if self.formula == "{0}":
            return {"name": name, **self.graders[0]}
        names = [f"g{number}" for number in range(len(self.graders))]
        parts = {one: {"name": one, **grader} for one, grader in zip(names, self.graders, strict=True)}
        formula = self.formula.format(*names)
        threshold = 1 if self.threshold is None else self.threshold
        return {
            "type": "multi", "name": name, "graders": parts, "calculate_output": formula, "pass_threshold": threshold,
        }  # fmt: skip


@dataclass(frozen=True)
class Check:
    """An assert of one test. Tests whose checks have the same `signature` share a criterion.

    `build` makes it from what stands for the values: a template of Stillhouse, or the value's place among the row's.
    """

    name: str
    signature: str
    build: Callable[[Sequence[str]], Part]
    values: tuple[Value, ...] = ()
    weight: float = 1


def joined(parts: Sequence[Part], formulas: Sequence[str], around: Callable[[list[str]], str]) -> Part:
    """Graders of all parts, under a formula around theirs."""
    graders: list[dict[str, Any]] = []
    shifted: list[str] = []
    for part, formula in zip(parts, formulas, strict=True):
        places = [f"{{{number + len(graders)}}}" for number in range(len(part.graders))]
        shifted.append(formula.format(*places))
        graders += part.graders
    return Part(graders, around(shifted))


def together(checks: Sequence[Check], name: str, threshold: float | None, weight: float = 1) -> Check:
    """Promptfoo's `assert-set`: all pass, or the mean of the scores by weight reaches the threshold."""
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
