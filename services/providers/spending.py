"""What trainings, evals and rollouts cost in a month, and the most that they may cost.

In: what a training or a run has cost, or is expected to, in nano-dollars. Out: a row each in the book of the
month in which it began, written over when more is known: a message that comes twice is booked once. Calls through the
gateway are not in the book; they are in the usage of what was captured.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar, Literal

from pydantic import Field

from foundation import table
from foundation.document import Document
from foundation.ids import now
from foundation.records import Record

type Kind = Literal["training", "eval", "rollout"]
_ID = "costs"


class CostSettings(Record):
    """What the owner of the stack has said of its costs; there is one."""

    KIND: ClassVar[str] = "COSTSETTINGS"
    NAME: ClassVar[str] = "cost settings"

    monthly_cap_usd: float | None = None
    retire_lost_after_days: int | None = None


class Spending(Document):
    """What the stack has cost in a month by itself, in US dollars; an open training counts by its estimate."""

    month: str
    """The month in UTC, such as 2026-11."""
    trainings_usd: float
    evals_usd: float
    rollouts_usd: float
    """The second answers and the judges of rollouts."""
    total_usd: float
    unpriced: int
    """How many trainings and runs have no known cost, and are in no sum."""
    monthly_cap_usd: float | None
    """What they may cost in a month; null for no limit."""
    left_usd: float | None = Field(default=None)
    """What is left of the cap, 0 where it is reached; null without one."""


def cost_settings() -> CostSettings:
    return CostSettings.find(_ID) or CostSettings(id=_ID, created_at=now())


def month_of(at: int) -> str:
    """The month of a time in seconds since the epoch, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m")


def book(kind: Kind, object_id: str, began_at: int, nanodollars: int | None) -> None:
    """Write what a training or a run costs, None where nobody knows, over what was booked for it before."""
    table.put({"pk": _book(month_of(began_at)), "sk": object_id, "kind": kind, "nanodollars": nanodollars})


def spending(month: str | None = None) -> Spending:
    """The sums of a month, of this one where none is given."""
    of_month = month or month_of(now())
    sums = {"training": 0, "eval": 0, "rollout": 0}
    unpriced = 0
    for row in table.query(_book(of_month)):
        if row["nanodollars"] is None:
            unpriced += 1
        else:
            sums[row["kind"]] += row["nanodollars"]
    cap, total = cost_settings().monthly_cap_usd, sum(sums.values()) / 1e9
    return Spending(
        month=of_month,
        trainings_usd=sums["training"] / 1e9,
        evals_usd=sums["eval"] / 1e9,
        rollouts_usd=sums["rollout"] / 1e9,
        total_usd=total,
        unpriced=unpriced,
        monthly_cap_usd=cap,
        left_usd=None if cap is None else max(0.0, cap - total),
    )


def cap_is_reached() -> Spending | None:
    """This month's spending where it has come to its cap, else None. Without a cap the book is not read."""
    if cost_settings().monthly_cap_usd is None:
        return None
    spent = spending()
    return spent if spent.left_usd == 0 else None


def _book(month: str) -> str:
    return f"SPENT#{month}"
