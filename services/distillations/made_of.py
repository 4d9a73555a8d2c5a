"""Distillations whose training set is made of another dataset, and waits for it: both need the same grades.

In: a dataset that has ended. Out: a message for each of these sets, which may come twice without harm. One that is lost
is sent again by the sweep.
"""

from __future__ import annotations

from distillations.dataset import Dataset, DatasetId
from distillations.distillation import Distillation
from foundation import bus
from foundation.events import AssembleDataset


def owner_of(distillation: Distillation) -> Dataset | None:
    """The dataset that it trains on; None where it has a filter of its own, or the dataset is gone."""
    return Dataset.find(distillation.train.id) if isinstance(distillation.train, DatasetId) else None


def wake(dataset_id: str) -> None:
    """Have the sets assembled that have waited for this dataset."""
    for distillation in Distillation.open_ones():
        is_of_it = isinstance(distillation.train, DatasetId) and distillation.train.id == dataset_id
        if is_of_it and distillation.status == "assembling" and distillation.dataset_id:
            bus.send(AssembleDataset(distillation_id=distillation.id, dataset_id=distillation.dataset_id))
