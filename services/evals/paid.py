"""What a run has paid by itself, for budgets that must be held.

In: a run that has ended. Out: nano-dollars, as far as prices are known. What answers cost that came with the rows is no
part of it: whoever made them has paid for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from evals.run import Run
from providers.prices import cost_nanodollars
from providers.usage import ModelUsage


def paid_nanodollars(run: Run) -> int:
    """What its calls cost, those of its judges among them."""
    paid = _by_model(run.per_model_usage)
    if run.answers == "stored":
        paid.subtract(_by_model(run.answer_usage))
    return max(0, sum(paid.values()))


def _by_model(usage: Iterable[ModelUsage]) -> Counter[str]:
    """What each model cost; one without a price counts as nothing."""
    costs: Counter[str] = Counter()
    for used in usage:
        costs[used.model_name] += cost_nanodollars([used]) or 0
    return costs
