"""What a training will cost, before anybody is asked: by the size of its file, its epochs and the price list.

In: the base model, the bytes of the training file, the epochs. Out: US dollars, or None
where no price is known. OpenAI's rule of thumb for English gives the tokens of a file: one for four bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers import prices

_BYTES_A_TOKEN = 4


def training_cost_usd(
    model: str, size: int, hyperparameters: Mapping[str, Any], default_epochs: int | None
) -> float | None:
    """The estimate, to a cent. `default_epochs` is how often a trainer goes through the file that chooses by itself."""
    price = prices.training_nanodollars(model)
    chosen = hyperparameters.get("n_epochs")
    epochs = chosen if isinstance(chosen, int) else default_epochs
    if price is None or epochs is None:
        return None
    return round(size / _BYTES_A_TOKEN * epochs * price / 1e9, 2)
