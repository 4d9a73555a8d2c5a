"""What a trainer takes: checked by the declaration of the trainer that is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from distillations.formats import OPENAI
from distillations.hyperparameters import OpenAIHyperparameters
from distillations.trainers import TRAINERS, Hyperparameters, TrainerEntry, TrainerName, entry_of, kind_of, provider_of
from foundation.document import Body
from providers.entry import Entry
from providers.registry import Known


class Asked(Body):
    trainer: TrainerName = "default"
    hyperparameters: Hyperparameters = OpenAIHyperparameters()


class Layers(OpenAIHyperparameters):
    """Those of another trainer."""

    layers: int


type Configure = Callable[..., None]


@pytest.fixture(autouse=True)
def configure(monkeypatch: pytest.MonkeyPatch) -> Configure:
    """Configure providers by their names and addresses; there is the default one alone before."""

    def make(**addresses: str) -> None:
        known = [Known("default", "template", Entry(base_url="https://api.openai.com/v1"))]
        known += [Known(name, "api", Entry(base_url=url)) for name, url in addresses.items()]
        known.append(Known("nova", "api", Entry(kind="bedrock", models=["m"])))
        monkeypatch.setattr("distillations.trainers.configured", lambda: known)

    make()
    return make


@pytest.fixture
def layered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TRAINERS, "layered", TrainerEntry("layered", "Another one.", Layers, OPENAI))


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


FIREWORKS = "https://api.fireworks.ai/inference/v1"


def test_a_hosted_trainer_trains_at_the_first_provider_at_its_hosts_and_at_the_one_of_its_name(
    configure: Configure,
) -> None:
    assert provider_of("fireworks") is None
    assert wrong(trainer="fireworks") == [("trainer",)]
    configure(first=FIREWORKS, second=FIREWORKS)
    known = provider_of("fireworks")
    assert known
    assert known.name == "first"
    assert Asked.model_validate({"trainer": "fireworks", "hyperparameters": {"lora_rank": 8}})
    configure(first=FIREWORKS, fireworks="https://proxy.example.com/v1")
    known = provider_of("fireworks")
    assert known
    assert known.name == "fireworks"


def test_a_provider_trains_by_its_name_as_its_address_says(configure: Configure) -> None:
    configure(mine=FIREWORKS, gpu="https://gpu.example.com/v1", fake="https://notfireworks.ai/v1")
    assert [kind_of(name) for name in ("mine", "gpu", "fake", "default")] == ["fireworks", *["default"] * 3]
    assert entry_of("mine") is TRAINERS["fireworks"]
    for name in ("mine", "gpu", "default"):
        known = provider_of(name)
        assert known
        assert known.name == name
    assert Asked.model_validate({"trainer": "mine", "hyperparameters": {"lora_rank": 8}})
    assert wrong(trainer="gpu", hyperparameters={"lora_rank": 8}) == [("hyperparameters", "lora_rank")]


@pytest.mark.parametrize("name", ["nova", "moon", ""])
def test_what_is_no_provider_with_openai_s_api_trains_nothing(name: str) -> None:
    assert wrong(trainer=name) == [("trainer",)]
    with pytest.raises(KeyError):
        kind_of(name)


@pytest.mark.parametrize("name", ["file", "bedrock"])
def test_a_trainer_that_is_not_hosted_needs_no_provider(name: str) -> None:
    assert provider_of(name) is None
    assert kind_of(name) == name
