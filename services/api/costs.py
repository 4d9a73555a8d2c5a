"""Costs: what trainings, evals and rollouts cost in a month, what they may, and how long models that lost are kept."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field

from foundation import http
from foundation.document import Body, Document
from foundation.errors import ApiError
from foundation.routes import Query, Routes
from providers import spending
from providers.spending import Spending, cost_settings

router = Routes("Costs")
_MOST_USD = 1e9
_MONTH = r"^\d{4}-(0[1-9]|1[0-2])$"


class Costs(Document):
    """What the stack's trainings, evals and rollouts cost, and what was set for them."""

    object: Literal["costs"] = "costs"
    spending: Spending
    retire_lost_after_days: int | None
    """How many days a trained model is kept that lost its verdict; null keeps it for ever."""


class CostChanges(Body):
    """What is to be otherwise. What is absent stays as it was; null takes a limit away."""

    monthly_cap_usd: Annotated[float, Field(ge=0, le=_MOST_USD, strict=True)] | None = None
    """What trainings, evals and rollouts may cost in a month, in US dollars."""
    retire_lost_after_days: Annotated[int, Field(ge=8, le=3650, strict=True)] | None = None
    """After how many days a trained model is retired that lost its verdict, unless it is kept; people are told."""


@router.get(
    "/v1/costs",
    scope="read",
    query=(
        Query("month", "The month in UTC, such as 2026-11; this one if absent.", {"type": "string", "pattern": _MONTH}),
    ),
)
def retrieve_costs() -> Costs:
    """Show what trainings, evals and rollouts have cost in a month. Calls through the gateway are in `/v1/usage`."""
    return _shown(_month())


@router.post("/v1/costs", scope="admin")
def change_costs(asked: CostChanges) -> Costs:
    """Set the cap of a month, or how long models that lost their verdict are kept.

    Where the cap is reached, new runs, distillations and rollouts are refused, a training that would go over it is
    blocked, and an open rollout grades no further calls.
    """
    settings = cost_settings()
    settings.create()
    if changes := asked.model_dump(exclude_unset=True):
        settings.change(changes)
    return _shown(None)


def _month() -> str | None:
    month = http.query_of(router, "month")
    if month is not None and not re.fullmatch(_MONTH, month, re.ASCII):
        raise ApiError("Invalid 'month': write it as YYYY-MM.", code="invalid_value", param="month")
    return month


def _shown(month: str | None) -> Costs:
    return Costs(spending=spending.spending(month), retire_lost_after_days=cost_settings().retire_lost_after_days)
