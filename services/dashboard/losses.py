"""The loss curves of a training, from the events that its trainer has told.

In: a job's events in any order, as the API lists them; those of the type `metrics` carry a step and its figures under
the trainer's own names. Out: a figure with the losses, in few enough points for a page; None where no loss was told.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from plots import Curve, Figure, lines

_MOST_POINTS = 120
_FIRST = ("train_loss", "loss", "valid_loss", "eval_loss", "full_valid_loss")
"""The names that come first, so that training and validation have the same colours on each page."""


def loss_curves(events: Iterable[Mapping[str, Any]]) -> Figure | None:
    """The losses over the steps."""
    series: dict[str, dict[float, float]] = {}
    for event in events:
        figures = event.get("data") if event.get("type") == "metrics" else None
        step = _number(figures.get("step")) if isinstance(figures, dict) else None
        if step is None or not isinstance(figures, dict):
            continue
        for name, value in figures.items():
            loss = _number(value) if "loss" in name else None
            if loss is not None:
                series.setdefault(name, {})[step] = loss
    names = sorted(series, key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name))
    curves = [Curve(name.replace("_", " "), _thinned(sorted(series[name].items()))) for name in names]
    return lines("Loss", _description(curves), "step", curves)


def _description(curves: list[Curve]) -> str:
    ends = (f"{curve.name} from {curve.points[0][1]:.3g} to {curve.points[-1][1]:.3g}" for curve in curves)
    return f"What the training still gets wrong, step by step: {'; '.join(ends)}."


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most so many points, evenly chosen, the first and the last among them."""
    if len(points) <= _MOST_POINTS:
        return points
    return [points[round(place * (len(points) - 1) / (_MOST_POINTS - 1))] for place in range(_MOST_POINTS)]


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
