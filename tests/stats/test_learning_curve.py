"""The forecast of a learning curve: its formula, its interval's coverage on simulated curves, and scipy's own fit."""

from __future__ import annotations

import random

import numpy as np
import pytest
from scipy.optimize import brentq, minimize
from scipy.stats import chi2

from stats.learning_curve import CurvePoint, Forecast, forecast

EXAMPLES = (100, 200, 400, 800)
TRUTHS = [(0.0, 0.2, 0.3), (0.05, 0.05, 1.0), (0.3, 0.0, 0.5), (0.0, 0.3, 0.1), (0.2, 0.08, 0.35)]


def error(truth: tuple[float, float, float], examples: float) -> float:
    floor, scale, rate = truth
    return floor + scale * (examples / EXAMPLES[-1]) ** -rate


def drawn(truth: tuple[float, float, float], rows: int, rng: random.Random, *, shared: bool) -> list[CurvePoint]:
    """A student measured with each number of examples; with `shared` rows what is hard is hard for all."""
    luck = [rng.random() for _ in range(rows)]
    points = []
    for examples in EXAMPLES:
        chances = luck if shared else [rng.random() for _ in range(rows)]
        points.append(CurvePoint(examples, sum(chance > error(truth, examples) for chance in chances), rows))
    return points


def found(points: list[CurvePoint], times: float = 2.0) -> Forecast:
    answer = forecast(points, times)
    assert answer
    return answer


@pytest.mark.soak
@pytest.mark.parametrize("truth", TRUTHS)
@pytest.mark.parametrize("shared", [False, True])
def test_the_interval_covers_the_true_gain(truth: tuple[float, float, float], shared: bool, soak: bool) -> None:
    """Of 120 intervals of 95% at least 88% cover, where 2.5 standard errors are five points.

    Without `--soak` of the first 40.
    """
    rng = random.Random(7)
    gain = error(truth, 800) - error(truth, 1600)
    times = 120 if soak else 40
    intervals = [found(drawn(truth, 100, rng, shared=shared)).interval for _ in range(times)]
    assert sum(low - 1e-9 <= gain <= high + 1e-9 for low, high in intervals) >= 0.88 * times


@pytest.mark.parametrize("truth", TRUTHS)
def test_a_curve_without_chance_is_found_again(truth: tuple[float, float, float]) -> None:
    rows = 10_000_000
    points = [CurvePoint(examples, round(rows * (1 - error(truth, examples))), rows) for examples in EXAMPLES]
    assert found(points).gain == pytest.approx(error(truth, 800) - error(truth, 1600), abs=2e-4)


def test_fit_and_interval_are_those_of_a_general_optimiser() -> None:
    """The same chi-squared, minimised by scipy over floor and scale at each rate, and its profile solved for 3.84."""
    points = [CurvePoint(100, 60, 100), CurvePoint(200, 71, 100), CurvePoint(400, 76, 100), CurvePoint(800, 82, 100)]
    errors = np.array([1 - point.passed / point.rows for point in points])
    shares = np.array([(point.passed + 1) / (point.rows + 2) for point in points])
    variances = shares * (1 - shares) / 100

    def profile(scale: float, rate: float) -> float:
        powers = np.array([(point.examples / 800) ** -rate for point in points])
        fitted = minimize(
            lambda x: float((((errors - x[0] - scale * powers) ** 2) / variances).sum()), [0.1], bounds=[(0, None)]
        )
        return float(fitted.fun)

    answer = found(points)
    rates = [0.05, 0.2, 0.5, 1.0]
    best = profile(answer.scale, answer.rate)
    assert all(best <= profile(answer.scale * factor, rate) + 1e-6 for rate in rates for factor in (0.5, 1, 2))
    limit = best + chi2.ppf(0.95, 1)
    ends = []
    for rate in rates:
        inside = minimize(lambda x, rate=rate: profile(x[0], rate), [answer.scale], method="Nelder-Mead").x[0]
        if profile(inside, rate) < limit:
            for far in (-3.0, 3.0):
                end = brentq(lambda scale, rate=rate: profile(scale, rate) - limit, inside, far, xtol=1e-5)
                ends.append(end * (1 - 2**-rate))
    assert ends
    low, high = answer.interval
    assert all(low - 1e-3 <= end <= high + 1e-3 for end in ends)
    assert low == pytest.approx(min(ends), abs=2e-3)


def test_more_rows_tell_more_and_more_examples_bring_more() -> None:
    few = [CurvePoint(examples, round(100 * (1 - error(TRUTHS[0], examples))), 100) for examples in EXAMPLES]
    many = [CurvePoint(point.examples, point.passed * 100, 10_000) for point in few]
    narrow, wide = found(many).interval, found(few).interval
    assert narrow.high - narrow.low < (wide.high - wide.low) / 3
    assert found(many, 4.0).gain > found(many, 2.0).gain > 0


def test_a_falling_curve_says_so() -> None:
    points = [
        CurvePoint(examples, passed, 1000) for examples, passed in zip(EXAMPLES, (900, 870, 840, 800), strict=True)
    ]
    answer = found(points)
    assert answer.gain < 0
    assert answer.interval.high < 0


@pytest.mark.parametrize("passed", [0, 50])
def test_all_alike_is_no_gain_with_an_interval(passed: int) -> None:
    answer = found([CurvePoint(examples, passed, 50) for examples in EXAMPLES])
    assert answer.gain == pytest.approx(0, abs=1e-9)
    assert answer.interval.low < 0 < answer.interval.high


def test_what_carries_no_curve_gives_none() -> None:
    assert forecast([CurvePoint(100, 5, 10), CurvePoint(200, 6, 10)]) is None
    assert forecast([CurvePoint(100, 5, 10)] * 3) is None
    assert forecast([CurvePoint(examples, 0, 0) for examples in EXAMPLES]) is None
    with pytest.raises(ValueError, match="more than one time"):
        forecast([CurvePoint(examples, 5, 10) for examples in EXAMPLES], 1.0)
