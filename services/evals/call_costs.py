"""What a call of a run's model costs, how much it is asked, and how long it takes.

In: a run. Out: nano-dollars, tokens and milliseconds a call, None where the price, the usage or the latency is not
known. The calls are those of the graded answers, also of such that an earlier run paid for, at the price of a single
call.
"""

from __future__ import annotations

from evals.run import Answers, Run
from foundation.document import Document
from providers.prices import cost_nanodollars


class CallFigures(Document):
    """What a call of a model costs, and how long it takes."""

    usd_per_1000: float | None
    """What a thousand calls cost in US dollars; null where a price or the usage is not known."""
    latency_ms: float | None
    """The mean milliseconds of a call; null where none was measured."""
    latency_p50_ms: int | None
    """The median, by nearest rank."""
    latency_p95_ms: int | None
    """What 19 of 20 calls stay within, by nearest rank."""
    timed_calls: int
    """The calls whose latency is known."""
    latency_from: Answers
    """`stored` is the application's own traffic, `sampled` are the eval's calls, which come many at once."""


def cost_of_a_call(run: Run) -> float | None:
    """In nano-dollars."""
    calls = sum(used.invocation_count for used in run.answer_usage)
    cost = cost_nanodollars(run.answer_usage)
    return cost / calls if cost is not None and calls else None


def cost_ratio(run: Run, teacher: Run) -> float | None:
    """The cost of a call as a share of a call of the teacher."""
    cost, of_teacher = cost_of_a_call(run), cost_of_a_call(teacher)
    return cost / of_teacher if cost is not None and of_teacher else None


def mean_prompt_tokens(run: Run) -> float | None:
    """The mean tokens of what the model was asked."""
    calls = sum(used.invocation_count for used in run.answer_usage)
    counted = calls and all(used.counted for used in run.answer_usage)
    return sum(used.prompt_tokens for used in run.answer_usage) / calls if counted else None


def mean_latency_ms(run: Run) -> float | None:
    """The mean of those calls whose latency is known."""
    return run.latency_ms / run.timed_rows if run.latency_ms and run.timed_rows else None


def call_figures(run: Run) -> CallFigures:
    """What a call costs and how long it takes, as verdicts show it."""
    cost = cost_of_a_call(run)
    return CallFigures(
        usd_per_1000=None if cost is None else cost / 1e6,
        latency_ms=mean_latency_ms(run),
        latency_p50_ms=run.latency_p50_ms,
        latency_p95_ms=run.latency_p95_ms,
        timed_calls=run.timed_rows or 0,
        latency_from=run.answers,
    )
