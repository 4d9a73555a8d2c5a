"""What a call of a run's model costs, how much it is asked, and how long it takes.

In: a run. Out: nano-dollars, tokens and milliseconds a call, None where the price, the usage or the latency is not
known. The calls are those of the graded answers, also of such that an earlier run paid for, at the price of a single
call.
"""

from __future__ import annotations

from evals.run import Run
from providers.prices import cost_nanodollars


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
