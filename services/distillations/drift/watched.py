"""Which aliases the drift watch looks at: those that a model answers for which was trained on a dataset.

In: an alias. Out: the model that is asked most of those that were trained here, and its dataset. A model that answers
nothing but where another one is away does not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from aliases.alias import Alias, every_alias
from distillations.dataset import Dataset
from distillations.recipe import UsedRecipe
from providers.model_version import ModelVersion


class Watched(NamedTuple):
    """A model that answers for an alias, and what it learnt from."""

    model: ModelVersion
    dataset: Dataset
    recipe: UsedRecipe
    """How the dataset was made."""


def watched_of(alias: Alias) -> Watched | None:
    """What the traffic of an alias is held against; None where no trained model answers."""
    asked = [target for target in alias.routing.targets if target.weight]
    # Those of all other calls come before those of a slice, the heaviest first.
    for target in sorted(asked, key=lambda target: (bool(target.when), -target.weight)):
        model = ModelVersion.find(target.model)
        dataset = Dataset.find(model.dataset_id) if model and model.dataset_id else None
        if model and dataset and dataset.card:
            return Watched(model, dataset, dataset.card.recipe)
    return None


def watched_aliases() -> Iterator[tuple[str, Watched]]:
    """The names of the aliases that are watched, and what each is held against."""
    return ((alias.id, watched) for alias in every_alias() if (watched := watched_of(alias)))
