"""Refuse what costs while the month's cap is reached."""

from __future__ import annotations

from foundation.errors import ApiError
from providers.spending import cap_is_reached


def refuse_over_cap() -> None:
    """Raise ApiError where trainings, evals and rollouts have cost what they may this month."""
    spent = cap_is_reached()
    if spent:
        raise ApiError(
            f"Trainings, evals and rollouts have cost ${spent.total_usd:.2f} in {spent.month}, and may cost "
            f"${spent.monthly_cap_usd:.2f} a month. Wait until the month has ended, or raise the cap: "
            'POST /v1/costs {"monthly_cap_usd": …}.',
            code="monthly_cap_reached",
        )
