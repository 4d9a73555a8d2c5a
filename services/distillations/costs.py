"""What a distillation has cost, beside what it was expected to."""

from __future__ import annotations

from foundation.document import Document


class DistillationCosts(Document):
    """US dollars; null where nobody knows."""

    training_estimate_usd: float | None
    """What the trainer expected of the training."""
    training_usd: float | None
    """What the training has cost, as the trainer says."""
    evals_usd: float | None
    """What its runs have paid for so far, their judges' calls among it; null if a model of them has no price."""
