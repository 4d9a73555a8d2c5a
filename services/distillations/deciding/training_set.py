"""What speaks against a distillation's training set, and the traffic that it was held against.

In: the dataset's id. Out: what its card and its report say, None where they are gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from distillations.dataset import Dataset
from distillations.leaks import RULES
from distillations.report.document import REPORT, DatasetReport, ProductionTraffic, RareSlice
from distillations.verdict_parts import TrainingSetWarnings
from foundation import blobs

_SHOWN = 50


class TrainingSet(NamedTuple):
    """A training set as a verdict looks at it."""

    warnings: TrainingSetWarnings | None = None
    traffic: ProductionTraffic | None = None
    rare: Sequence[RareSlice] = ()


def training_set(dataset_id: str | None) -> TrainingSet:
    dataset = Dataset.find(dataset_id) if dataset_id else None
    if dataset is None or dataset.card is None:
        return TrainingSet()
    card, body = dataset.card, blobs.find(dataset.key(REPORT))
    report = DatasetReport.model_validate_json(body) if body else None
    skewed = [field.field for field in report.skew if field.differs] if report else []
    warnings = TrainingSetWarnings(
        warnings=card.warnings,
        leaks={rule: card.dropped[rule] for rule in RULES if card.dropped.get(rule)},
        contradicted=len(card.contradicted),
        skewed_fields=skewed[:_SHOWN],
    )
    return TrainingSet(warnings, report.production if report else None, report.rare_slices if report else ())
