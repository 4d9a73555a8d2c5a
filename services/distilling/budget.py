"""Compare the estimated cost of a distillation with its budget, as far as prices are known.

In: a distillation with `gate.max_cost_usd`. Out: the estimate for training (recorded tokens of the training completions
times epochs) and the reasons to stop. Without a budget nothing is read or estimated. What a dataset that is there costs
is not known here: its trainer estimates it by its file before the job starts.
"""

from __future__ import annotations

from typing import NamedTuple

from completions import index
from completions.sources import StoredCompletions
from distillations.attempts import Order
from distillations.distillation import Distillation
from distillations.trainers import TRAINERS
from providers import prices


class Estimate(NamedTuple):
    """The price of the training in US dollars, None where it is not known, and the reasons not to spend it."""

    usd: float | None
    reasons: list[str]


def judge(distillation: Distillation) -> Estimate:
    """Compare the estimate of all attempts with the budget; without one there is neither an estimate nor a reason."""
    limit = distillation.gate.max_cost_usd
    if limit is None:
        return Estimate(None, [])
    unknown = next((o.student for o in distillation.orders if prices.training_nanodollars(o.student) is None), None)
    if unknown:
        return Estimate(
            None, [f"No price is known for training {unknown}: the budget of ${limit:.2f} cannot be checked."]
        )
    tokens = _tokens(distillation)
    if tokens is None:
        return Estimate(None, [])
    costs = [_nanodollars(distillation, order, tokens) for order in distillation.orders]
    known = [cost for cost in costs if cost is not None]
    if len(known) < len(costs):
        how_often = "How often the trainer goes through the examples is not known: name 'n_epochs', or the budget of"
        return Estimate(None, [f"{how_often} ${limit:.2f} cannot be checked."])
    usd = sum(known) / 1e9
    what = "Training is" if len(costs) == 1 else f"The {len(costs)} trainings are"
    reason = f"{what} estimated at ${usd:.2f}, above the budget of ${limit:.2f}."
    return Estimate(usd, [reason] if usd > limit else [])


def _nanodollars(distillation: Distillation, order: Order, tokens: int) -> float | None:
    """What a training of so many tokens costs; None where the price or the number of epochs is not known."""
    price, epochs = prices.training_nanodollars(order.student), order.hyperparameters.get("n_epochs")
    if not isinstance(epochs, int):
        # A trainer that chooses for itself.
        epochs = TRAINERS[distillation.trainer_kind or distillation.trainer].hyperparameters.DEFAULT_EPOCHS
    return None if price is None or epochs is None else tokens * epochs * price


def _tokens(distillation: Distillation) -> int | None:
    """The recorded tokens of the completions that train; None for a dataset, whose completions are not read here."""
    source = distillation.training_source
    if not isinstance(source, StoredCompletions):
        return None
    completions = index.completions(source, limit=source.limit)
    return sum(int((completion.response.get("usage") or {}).get("total_tokens") or 0) for completion in completions)
