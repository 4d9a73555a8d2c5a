"""The dataset that a new distillation names as what it trains on.

In: its id. Out: the dataset. Raises ApiError where there is none, where it was made for a distillation, and where it
was cancelled.
"""

from __future__ import annotations

from distillations.dataset import TO_GO_ON, Dataset
from foundation.errors import ApiError


def dataset_to_train_on(dataset_id: str) -> Dataset:
    dataset = Dataset.load(dataset_id, param="train.id")
    if dataset.distillation_id is not None or dataset.recipe is None:
        raise ApiError(
            f"The dataset {dataset_id} was made for the distillation {dataset.distillation_id}: repeat that one, or "
            "make a dataset of the same filter.",
            code="unsupported_source",
            param="train.id",
        )
    if dataset.is_cancelled:
        told = f"The dataset {dataset_id} was cancelled. {TO_GO_ON}"
        raise ApiError(told, code="dataset_cancelled", param="train.id")
    return dataset
