"""Which aliases the drift watch looks at: those that a model answers for which was trained on a dataset.

In: an alias. Out: of each of its slices the model that is asked most of those that were trained here, and its dataset.
A model that answers nothing but where another one is away does not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from aliases.alias import Alias, Target, When
from distillations.dataset import Dataset
from distillations.recipe import UsedRecipe
from providers.model_version import ModelVersion


class Watched(NamedTuple):
    """A model that answers for an alias, what it learnt from, and which calls it answers."""

    model: ModelVersion
    dataset: Dataset
    recipe: UsedRecipe
    """How the dataset was made."""
    when: When
    """The metadata of the calls that it answers; empty for those that no other slice takes."""


def watched_of(alias: Alias) -> list[Watched]:
    """What the traffic of each slice of an alias is held against, that of all other calls first."""
    return [watched for group in slices_of(alias) if (watched := heaviest(group))]


def slices_of(alias: Alias) -> list[list[Target]]:
    """The targets of each slice of an alias, those of all other calls first."""
    return sorted(alias.routing.groups, key=lambda group: bool(group[0].when))


def heaviest(group: Sequence[Target]) -> Watched | None:
    """The trained model that answers most calls of a slice; None where no target was trained on a dataset."""
    asked = [target for target in group if target.weight]
    for target in sorted(asked, key=lambda target: -target.weight):
        model = ModelVersion.find(target.model)
        dataset = Dataset.find(model.dataset_id) if model and model.dataset_id else None
        if model and dataset and dataset.card:
            return Watched(model, dataset, dataset.card.recipe, target.when)
    return None
