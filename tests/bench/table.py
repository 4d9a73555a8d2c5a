"""The table that every bench prints: what was measured, its peer beside it, the ratio, the target."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One figure, bounded by `most`, or as a multiple of `peer` by `most_ratio` or `least_ratio`; else it informs."""

    label: str
    measured: float
    peer: float | None = None
    most: float | None = None
    most_ratio: float | None = None
    least_ratio: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.measured / self.peer if self.peer else None

    @property
    def target(self) -> str:
        if self.most is not None:
            return f"<= {self.most:g}"
        if self.least_ratio is not None:
            return f">= {self.least_ratio:g}x"
        return "" if self.most_ratio is None else f"<= {self.most_ratio:g}x"

    @property
    def met(self) -> bool:
        if self.most is not None and self.measured > self.most:
            return False
        if self.least_ratio is not None and (self.ratio is None or self.ratio < self.least_ratio):
            return False
        return self.most_ratio is None or (self.ratio is not None and self.ratio <= self.most_ratio)


def say(text: str = "") -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def show(unit: str, lines: Iterable[Line], *, peer: str = "peer") -> bool:
    """Print the lines under their headings; True if no target is missed."""
    shown = list(lines)
    width = max(len(line.label) for line in shown) + 2
    say(f"{unit:<{width}}{'measured':>11}{peer:>20}{'ratio':>10}{'target':>11}")
    for line in shown:
        beside = "" if line.peer is None else f"{line.peer:.3f}"
        ratio = "" if line.ratio is None else f"{line.ratio:.2f}x"
        verdict = ("met" if line.met else "MISSED") if line.target else ""
        say(f"{line.label:<{width}}{line.measured:>11.3f}{beside:>20}{ratio:>10}{line.target:>11}  {verdict}".rstrip())
    say()
    return all(line.met for line in shown)
