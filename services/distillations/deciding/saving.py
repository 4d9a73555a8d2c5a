"""What a distilled model saves, and when it has paid for itself.

In: what a call of it and of its teacher costs, what the distillation has cost, the model, the report of its training
set. Out: a `Saving`, each figure null where one that it rests on is not known. A month has 30 days of requests and 730
hours.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from distillations.costs import DistillationCosts
from distillations.report.document import CountedTraffic, ProductionTraffic
from distillations.verdict_parts import Saving

_MONTH_S = 30 * 86_400
_LEAST_SPAN_S = 86_400
_LEAST_ROWS = 2
_MOST_REQUESTS = 1e15
"""Whoever needs more of them saves nothing, but for the rounding of the figures. JSON has no larger numbers."""


class _BreakEven(NamedTuple):
    requests: int | None = None
    months: float | None = None


def saving_of(
    *,
    teacher_nanodollars: float | None,
    distilled_nanodollars: float | None,
    costs: DistillationCosts,
    idle_usd: float | None,
    traffic: ProductionTraffic | None,
) -> Saving:
    """The saving by the cost of a call of both models; `idle_usd` is what the distilled one costs a month unasked."""
    a_request = _difference(teacher_nanodollars, distilled_nanodollars)
    counted = counted_of(traffic)
    requests = requests_per_month(counted)
    spent = _sum(costs.training_usd, costs.evals_usd)
    even = _break_even(a_request, spent, idle_usd, requests)
    return Saving(
        usd_per_1000=None if a_request is None else 1000 * a_request,
        training_usd=costs.training_usd,
        evals_usd=costs.evals_usd,
        idle_usd_per_month=idle_usd,
        requests_per_month=requests,
        counted=counted,
        usd_per_month=_a_month(a_request, idle_usd, requests),
        break_even_requests=even.requests,
        break_even_months=even.months,
    )


def counted_of(traffic: ProductionTraffic | None) -> CountedTraffic | None:
    """What the rate of this traffic is counted from: what was counted for it, else its rows where they span a day.

    None otherwise, since an hour or an import says nothing of a month.
    """
    if traffic is None:
        return None
    if traffic.counted is not None:
        return traffic.counted
    told = traffic.rows >= _LEAST_ROWS and traffic.span_s >= _LEAST_SPAN_S
    return CountedTraffic(rows=traffic.rows, seconds=traffic.span_s) if told else None


def requests_per_month(counted: CountedTraffic | None) -> int | None:
    """The rate over 30 days: the intervals between the requests, by the time that they span."""
    return None if counted is None else round((counted.rows - 1) * _MONTH_S / counted.seconds)


def _difference(teacher: float | None, distilled: float | None) -> float | None:
    """In US dollars."""
    return None if teacher is None or distilled is None else (teacher - distilled) / 1e9


def _sum(*parts: float | None) -> float | None:
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def _a_month(a_request: float | None, idle: float | None, requests: int | None) -> float | None:
    if a_request is None or idle is None or requests is None:
        return None
    return a_request * requests - idle


def _break_even(a_request: float | None, spent: float | None, idle: float | None, requests: int | None) -> _BreakEven:
    """Requests n with n * saving = spent + idle * (n / requests a month)."""
    if a_request is None or spent is None or idle is None:
        return _BreakEven()
    if idle and not requests:
        return _BreakEven()
    net = a_request - (idle / requests if requests else 0.0)
    if net <= 0.0 or spent / net > _MOST_REQUESTS:
        return _BreakEven()
    # A quotient may lie a little above the whole number that it means.
    return _BreakEven(math.ceil(spent / net - 1e-6), spent / net / requests if requests else None)
