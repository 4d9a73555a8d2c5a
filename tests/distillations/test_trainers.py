"""What a trainer takes: checked by the declaration of the trainer that is named."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from distillations.hyperparameters import OpenAIHyperparameters
from distillations.supervised import OpenAIExample
from distillations.trainers import TRAINERS, Hyperparameters, TrainerEntry, TrainerName
from foundation.document import Body


class Asked(Body):
    trainer: TrainerName = "default"
    hyperparameters: Hyperparameters = OpenAIHyperparameters()


class Layers(OpenAIHyperparameters):
    """Those of another trainer."""

    layers: int


@pytest.fixture
def layered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TRAINERS, "layered", TrainerEntry("layered", "Another one.", Layers, OpenAIExample))


def wrong(**asked: Any) -> list[tuple[Any, ...]]:
    with pytest.raises(ValidationError) as refusal:
        Asked.model_validate(asked)
    return [error["loc"] for error in refusal.value.errors()]


@pytest.mark.parametrize(
    "given",
    [{}, {"n_epochs": 1}, {"n_epochs": 50, "batch_size": 256}, {"learning_rate_multiplier": 2}, {"n_epochs": "auto"}],
)
def test_what_was_given_is_kept_and_nothing_else(given: dict[str, Any]) -> None:
    assert Asked.model_validate({"hyperparameters": given}).hyperparameters.given() == given


@pytest.mark.parametrize("given", [{"n_epochs": None}, {"n_epochs": None, "batch_size": None}])
def test_null_is_not_given(given: dict[str, Any]) -> None:
    assert Asked.model_validate({"hyperparameters": given}).hyperparameters.given() == {}


@pytest.mark.usefixtures("layered")
def test_the_named_trainer_s_declaration_decides() -> None:
    taken = Asked.model_validate({"trainer": "layered", "hyperparameters": {"layers": 3}})
    assert taken.hyperparameters.given() == {"layers": 3}
    assert wrong(trainer="default", hyperparameters={"layers": 3}) == [("hyperparameters", "layers")]
    assert wrong(trainer="layered", hyperparameters={}) == [("hyperparameters", "layers")]


def test_with_a_trainer_that_nobody_knows_both_fields_are_looked_at() -> None:
    assert wrong(trainer="moon", hyperparameters={"layers": 3}) == [("trainer",), ("hyperparameters", "layers")]
