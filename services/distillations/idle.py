"""What a trained model costs while nobody asks it.

In: a model version. Out: the kind of that cost, and dollars an hour, None where no price list says so.
"""

from __future__ import annotations

from distillations.trainers import IdleCost, entry_of
from providers import prices
from providers.model_version import ModelVersion

HOURS_A_MONTH = 730
_BY_ACTIVE_MINUTES = "bedrock_imported"
"""The kind of provider whose models cost for each copy while it is active, whoever trained them."""


def idle_cost(version: ModelVersion) -> IdleCost:
    """That of its trainer, unless its provider has its own.

    One that was trained at a provider which is gone, or that a person named, is not known.
    """
    if version.provider == _BY_ACTIVE_MINUTES:
        return "nothing"
    try:
        return entry_of(version.trainer).idle
    except KeyError:
        return "unknown"


def usd_per_hour(version: ModelVersion) -> float | None:
    if idle_cost(version) == "nothing":
        return 0.0
    return prices.hourly_usd(version.id) or prices.hourly_usd(version.base)


def usd_per_month(version: ModelVersion) -> float | None:
    """The same for 730 hours."""
    hour = usd_per_hour(version)
    return None if hour is None else hour * HOURS_A_MONTH
