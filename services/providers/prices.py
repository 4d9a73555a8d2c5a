"""What tokens cost: from a dated price list, in nano-dollars, null where there is no price.

A model is found by its name, by its name without the date of a snapshot, and as `ft:<base>` for a fine-tuned one. The
lab's students have no price: they are trained and served on the user's own machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from pathlib import Path
from typing import Any

from providers.usage import ModelUsage

_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")
_NANODOLLARS_PER_TOKEN = 1000  # one dollar per million tokens
_LAB = "lab"


@cache
def price_list() -> dict[str, Any]:
    """`{as_of, batch_share, models: {name: {input, cached_input?, output, training?}}}`, in dollars per million."""
    text = Path(__file__).with_name("prices.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text, parse_float=str, parse_int=str)
    return document


def _price(model: str) -> dict[str, str] | None:
    models: dict[str, dict[str, str]] = price_list()["models"]
    if model.startswith("ft:"):
        _, base, org, *_ = [*model.split(":"), "", ""]
        return None if org == _LAB else models.get(f"ft:{_SNAPSHOT.sub('', base)}")
    return models.get(model) or models.get(_SNAPSHOT.sub("", model))


def cost_nanodollars(usage: Iterable[ModelUsage]) -> int | None:
    """The price of this usage; None if any of its models has none."""
    total = Decimal(0)
    for used in usage:
        price = _price(used.model_name)
        if price is None:
            return None
        fresh = used.prompt_tokens - used.cached_tokens
        total += (
            (
                fresh * Decimal(price["input"])
                + used.cached_tokens * Decimal(price.get("cached_input", price["input"]))
                + used.completion_tokens * Decimal(price["output"])
            )
            * (Decimal(price_list()["batch_share"]) if used.batch else 1)
            * _NANODOLLARS_PER_TOKEN
        )
    return int(total.to_integral_value(ROUND_HALF_EVEN))


def training_nanodollars(model: str) -> float | None:
    """The price of one training token; None where it is not known."""
    price = _price(model) or {}
    return float(price["training"]) * _NANODOLLARS_PER_TOKEN if "training" in price else None
