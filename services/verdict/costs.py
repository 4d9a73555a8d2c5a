"""The cost of a call of each model, relative to a call of the teacher, and its latency.

In: the runs by role. Out: a figure for each role, None where the price, the usage or the latency is not known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from distillations.roles import Role
from evals.run import Run
from providers.prices import cost_nanodollars
from providers.usage import ModelUsage


def cost_ratios(runs: Mapping[Role, Run]) -> dict[Role, float | None]:
    """The cost of a call as a share of the teacher's."""
    costs = {role: _cost_of_a_call(run) for role, run in runs.items()}
    teacher = costs["teacher"]
    return {role: cost / teacher if cost is not None and teacher else None for role, cost in costs.items()}


def mean_latencies(runs: Mapping[Role, Run]) -> dict[Role, float | None]:
    """The mean milliseconds of those calls whose latency is known."""
    return {
        role: run.latency_ms / run.timed_rows if run.latency_ms and run.timed_rows else None
        for role, run in runs.items()
    }


def _cost_of_a_call(run: Run) -> float | None:
    """In nano-dollars."""
    usage = _usage_of_model(run)
    calls = sum(used.invocation_count for used in usage)
    cost = cost_nanodollars(usage)
    return cost / calls if cost is not None and calls else None


def _usage_of_model(run: Run) -> list[ModelUsage]:
    """The usage of the model under test, without its judges; a provider may answer as a dated snapshot of it."""
    snapshot = re.compile(re.escape(run.model) + r"(-\d[\d-]*)?")
    return [used for used in run.per_model_usage if snapshot.fullmatch(used.model_name)]
