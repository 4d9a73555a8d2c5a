"""What a call of a run's model costs, and how long it takes, without the judges that graded it.

In: a run. Out: nano-dollars and milliseconds a call, None where the price, the usage or the latency is not known.
"""

from __future__ import annotations

import re

from evals.run import Run
from providers.prices import cost_nanodollars
from providers.usage import ModelUsage


def cost_of_a_call(run: Run) -> float | None:
    """In nano-dollars."""
    usage = _usage_of_model(run)
    calls = sum(used.invocation_count for used in usage)
    cost = cost_nanodollars(usage)
    return cost / calls if cost is not None and calls else None


def cost_ratio(run: Run, teacher: Run) -> float | None:
    """The cost of a call as a share of a call of the teacher."""
    cost, of_teacher = cost_of_a_call(run), cost_of_a_call(teacher)
    return cost / of_teacher if cost is not None and of_teacher else None


def mean_latency_ms(run: Run) -> float | None:
    """The mean of those calls whose latency is known."""
    return run.latency_ms / run.timed_rows if run.latency_ms and run.timed_rows else None


def _usage_of_model(run: Run) -> list[ModelUsage]:
    """The usage of the model under test; a provider may answer as a dated snapshot of it."""
    snapshot = re.compile(re.escape(run.model) + r"(-\d[\d-]*)?")
    return [used for used in run.per_model_usage if snapshot.fullmatch(used.model_name)]
