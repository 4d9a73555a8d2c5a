"""Compare the estimated cost of a distillation with its budget, as far as prices are known.

In: a distillation with `gate.max_cost_usd`. Out: the estimate for training (recorded tokens of the training completions
times epochs) and the reasons to stop. Without a budget nothing is read or estimated.
"""

from __future__ import annotations

from typing import NamedTuple

from completions import index
from completions.sources import StoredCompletions
from distillations.distillation import Distillation
from providers import prices

_DEFAULT_EPOCHS = 3


class Estimate(NamedTuple):
    """The price of the training in US dollars, None where it is not known, and the reasons not to spend it."""

    usd: float | None
    reasons: list[str]


def judge(distillation: Distillation) -> Estimate:
    """Compare the estimate with the budget; without a budget there is neither an estimate nor a reason."""
    limit = distillation.gate.max_cost_usd
    if limit is None:
        return Estimate(None, [])
    price = prices.training_nanodollars(distillation.student)
    if price is None:
        return Estimate(
            None,
            [f"No price is known for training {distillation.student}: the budget of ${limit:.2f} cannot be checked."],
        )
    usd = _tokens(distillation) * _epochs(distillation) * price / 1e9
    over = usd > limit
    reason = f"Training is estimated at ${usd:.2f}, above the budget of ${limit:.2f}."
    return Estimate(usd, [reason] if over else [])


def _epochs(distillation: Distillation) -> int:
    """The number of epochs that was asked for; OpenAI's `auto`, and anything else that is no number, counts as 3."""
    epochs = distillation.hyperparameters.get("n_epochs")
    return epochs if isinstance(epochs, int) else _DEFAULT_EPOCHS


def _tokens(distillation: Distillation) -> int:
    source = distillation.training_source
    if not isinstance(source, StoredCompletions):
        return 0
    completions = index.completions(source, limit=source.limit)
    return sum(int((completion.response.get("usage") or {}).get("total_tokens") or 0) for completion in completions)
