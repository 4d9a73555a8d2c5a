"""What tokens cost: from a dated price list, in nano-dollars, null where there is no price.

A model is found by its name, by its name without the date of a snapshot, and as `ft:<base>` for a fine-tuned one. A
student of the lab is found as `ft:<base>:lab` only: it was trained on the user's own machine, whatever its base is
called. The template's parameter `Prices` (the setting PRICES) adds models to the list, or replaces what it has. Prices
that a provider was added with hold for the models that it lists, and where no list has one, for its others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from foundation.refreshed import Refreshed
from foundation.settings import settings
from providers.own_prices import OwnPrices
from providers.saved import saved_providers
from providers.usage import ModelUsage

_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")
_NANODOLLARS_PER_TOKEN = 1000  # one dollar per million tokens
_LAB = "lab"


@cache
def price_list() -> dict[str, Any]:
    """`{as_of, batch_share, models: {name: {input, cached_input?, output, training?, hour?}}}`, in dollars per million.

    `as_of` names both lists where the stack has prices of its own. Raises ValueError where the setting PRICES is not
    what its description in template.yaml says.
    """
    text = Path(__file__).with_name("prices.json").read_text(encoding="utf-8")
    built_in: dict[str, Any] = json.loads(text, parse_float=str, parse_int=str)
    if not settings().PRICES:
        return built_in
    own = OwnPrices.model_validate_json(settings().PRICES)
    models = {name: price.model_dump(exclude_none=True) for name, price in own.models.items()}
    as_of = f"{built_in['as_of']}; this stack's own prices: {own.as_of}"
    return {**built_in, "as_of": as_of, "models": {**built_in["models"], **models}}


def as_of() -> str:
    """The dates of all prices: those of the list, and of each provider that was added with some."""
    return "; ".join([price_list()["as_of"], *_of_providers().dates])


def forget() -> None:
    """Read the prices of providers anew."""
    _OF_PROVIDERS.forget()


class _Added(NamedTuple):
    """Prices that providers were added with, by the names that calls are booked under."""

    listed: dict[str, dict[str, str]]
    others: dict[str, dict[str, str]]
    dates: list[str]


def _of_providers() -> _Added:
    return _OF_PROVIDERS.get()


def _read_added() -> _Added:
    added = _Added({}, {}, [])
    for saved in saved_providers():
        if saved.entry.prices is None:
            continue
        added.dates.append(f"the provider {saved.id}: {saved.entry.prices.as_of}")
        for model, price in saved.entry.prices.models.items():
            names = added.listed if model in saved.entry.models else added.others
            names[model] = added.listed[f"{saved.id}/{model}"] = price.model_dump(exclude_none=True)
    return added


def _price(model: str) -> dict[str, str] | None:
    added = _of_providers()
    return added.listed.get(model) or _in_list(model) or added.others.get(model)


def _in_list(model: str) -> dict[str, str] | None:
    models: dict[str, dict[str, str]] = price_list()["models"]
    if model.startswith("ft:"):
        _, base, org, *_ = [*model.split(":"), "", ""]
        tuned = f"ft:{_SNAPSHOT.sub('', base)}"
        return models.get(f"{tuned}:{_LAB}" if org == _LAB else tuned)
    return models.get(model) or models.get(_SNAPSHOT.sub("", model))


def per_million(model: str) -> tuple[float, float] | None:
    """What a million tokens of questions and of answers cost, in US dollars; None where no list says so."""
    price = _price(model)
    return (float(price["input"]), float(price["output"])) if price else None


def is_priced(model: str) -> bool:
    """Whether the list has a price for this model's tokens."""
    return _price(model) is not None


def cost_nanodollars(usage: Iterable[ModelUsage]) -> int | None:
    """The price of this usage; None if any of its models has none, or answered without saying its tokens."""
    total = Decimal(0)
    for used in usage:
        price = _price(used.model_name)
        if price is None or not used.counted:
            return None
        millionths = _millionths(price, used.prompt_tokens, used.cached_tokens, used.completion_tokens)
        total += millionths * (Decimal(price_list()["batch_share"]) if used.batch else 1) * _NANODOLLARS_PER_TOKEN
    return int(total.to_integral_value(ROUND_HALF_EVEN))


def call_usd(model: str, prompt: int | None, cached: int | None, answer: int | None) -> float | None:
    """What a call of a model with these tokens costs, in US dollars; None without a price, or without both counts."""
    price = _price(model)
    if price is None or prompt is None or answer is None:
        return None
    return float(_millionths(price, prompt, cached or 0, answer)) / 1e6


def _millionths(price: dict[str, str], prompt: int, cached: int, answer: int) -> Decimal:
    """What these tokens cost, in millionths of a dollar; the cached ones are a part of the prompt's."""
    return (
        max(0, prompt - cached) * Decimal(price["input"])
        + cached * Decimal(price.get("cached_input", price["input"]))
        + answer * Decimal(price["output"])
    )


def training_nanodollars(model: str) -> float | None:
    """The price of one training token; None where it is not known."""
    price = _price(model) or {}
    return float(price["training"]) * _NANODOLLARS_PER_TOKEN if "training" in price else None


def hourly_usd(model: str) -> float | None:
    """What this model costs an hour while it is deployed, in dollars; None where no list says so."""
    hour = (_price(model) or {}).get("hour")
    return float(hour) if hour is not None else None


_OF_PROVIDERS = Refreshed(_read_added)
