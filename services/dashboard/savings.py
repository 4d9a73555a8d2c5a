"""What a distilled model would save in a month, from what the teacher's calls cost in the last thirty days.

In: a distillation with its verdict, the usage of its traffic, the deployment of its model. Out: dollars; None where a
price is not known. Nothing is extrapolated: a stack that is a day old has a day's calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

DAYS = 30


class Savings(NamedTuple):
    """A month of the teacher's calls at both prices, in US dollars."""

    calls: int
    teacher_usd: float
    distilled_usd: float
    idle_usd: float
    """What the model costs a month besides its calls."""

    @property
    def usd(self) -> float:
        """Below 0 where the model costs more than it saves."""
        return self.teacher_usd - self.distilled_usd - self.idle_usd


def traffic_of(distillation: Mapping[str, Any], now: int) -> dict[str, str] | None:
    """The query of the usage of the calls that the model would answer; None where its rows came from no filter.

    Test and training rows have tags that tell them apart; what both have in common is the task.
    """
    test, train = distillation["test"], distillation["train"]
    if test.get("type") != "stored_completions" or train.get("type") != "stored_completions":
        return None
    common = {name: value for name, value in train["metadata"].items() if test["metadata"].get(name) == value}
    query = {"model": distillation["teacher"], "created_after": str(now - DAYS * 86_400), "group_by": "model"}
    return query | {f"metadata[{name}]": value for name, value in common.items()}


def savings(verdict: Mapping[str, Any], usage: Any, deployments: Any, model: str | None) -> Savings | None:
    """The savings; None where there were no calls, or a price is missing."""
    ratio = verdict["cost_ratio"].get("distilled")
    used = (usage or {"data": []})["data"]
    if ratio is None or not used or used[0]["cost_usd"] is None:
        return None
    deployed = next((each for each in (deployments or {"data": []})["data"] if each["id"] == model), None)
    idle = deployed["usd_per_month"] if deployed else 0.0
    if idle is None:
        return None
    cost = used[0]["cost_usd"]
    return Savings(used[0]["completions"], cost, cost * ratio, idle)
