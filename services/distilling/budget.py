"""Compare the estimated cost of a distillation with its budget, as far as prices are known.

In: a distillation with `gate.max_cost_usd`. Out: the estimate for training (recorded tokens of the training completions
times epochs) and the reasons to stop. Without a budget nothing is read or estimated. What a dataset that is there costs
is not known here: its trainer estimates it by its file before the job starts.
"""

from __future__ import annotations

from typing import NamedTuple

from completions import index
from completions.sources import StoredCompletions
from distillations.distillation import Distillation
from distillations.trainers import TRAINERS
from providers import prices


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
    tokens, epochs = _tokens(distillation), _epochs(distillation)
    if tokens is None:
        return Estimate(None, [])
    if epochs is None:
        unknown = "How often the trainer goes through the examples is not known: name 'n_epochs', or the budget of"
        return Estimate(None, [f"{unknown} ${limit:.2f} cannot be checked."])
    usd = tokens * epochs * price / 1e9
    over = usd > limit
    reason = f"Training is estimated at ${usd:.2f}, above the budget of ${limit:.2f}."
    return Estimate(usd, [reason] if over else [])


def _epochs(distillation: Distillation) -> int | None:
    """The number of epochs that was asked for, else that of a trainer that chooses for itself; None where unknown."""
    epochs = distillation.hyperparameters.get("n_epochs")
    if isinstance(epochs, int):
        return epochs
    return TRAINERS[distillation.trainer_kind or distillation.trainer].hyperparameters.DEFAULT_EPOCHS


def _tokens(distillation: Distillation) -> int | None:
    """The recorded tokens of the completions that train; None for a dataset, whose completions are not read here."""
    source = distillation.training_source
    if not isinstance(source, StoredCompletions):
        return None
    completions = index.completions(source, limit=source.limit)
    return sum(int((completion.response.get("usage") or {}).get("total_tokens") or 0) for completion in completions)
