"""What every trainer must do, whichever it is, on the stack of the tests."""

from __future__ import annotations

import inspect
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from distillations.job import FOLLOWING
from distillations.trainers import TRAINERS, TrainerName
from foundation.ids import new_id
from tests.fakes import QWEN
from tests.flow import loop
from tests.tuning.conftest import example_line, stored
from tuning import trainers
from tuning.trainers import Trainer, TrainerRefused, Training, trainer_named

SHARED = {
    "__init__",
    "account",
    "at_aws",
    "azure_deployments",
    "checks",
    "dialects",
    "hosted",
    "idle",
    "imported",
    "nebius_models",
    "openai_files",
    "recipe",
    "serving",
    "together_files",
    "trainer",
    "training_file",
}
CALLS = ("check", "estimate", "find", "start", "look", "deploy", "cancel", "forget", "retire")

AT_HAND = [name for name, entry in TRAINERS.items() if name == "default" or not entry.hosts]
"""Those whose far side is the lab, the fakes or the bucket. The others go through the conformance suite alone."""

BASES = {"bedrock": "bedrock/amazon.nova-micro-v1:0", "sagemaker": QWEN}
"""For a trainer that does not train the lab's student, a model that it trains."""

pytestmark = pytest.mark.usefixtures("system", "lab_at_rest", "aws_trainers")


def training(name: str) -> Training:
    lines = b"\n".join(example_line(number) for number in range(12))
    return Training(
        new_id("ftjob-"), BASES.get(name, loop.STUDENT), stored(lines), None, hyperparameters={}, seed=3, suffix="s"
    )


def test_every_module_of_the_folder_is_in_the_registry() -> None:
    modules = {path.stem for path in Path(trainers.__file__).parent.glob("*.py")} - SHARED
    assert {entry.module for entry in TRAINERS.values()} == modules
    assert all(entry.description for entry in TRAINERS.values())


def test_the_registry_says_which_names_are_valid() -> None:
    names: TypeAdapter[Any] = TypeAdapter(TrainerName)
    assert names.json_schema()["examples"] == list(TRAINERS)
    for name in AT_HAND:
        assert names.validate_python(name) == name
    with pytest.raises(ValidationError, match="use one of default"):
        names.validate_python("moon")


@pytest.mark.parametrize("name", TRAINERS)
def test_it_has_the_calls_of_the_seam(name: str) -> None:
    trainer = trainer_named(name)
    for call in CALLS:
        wanted = list(inspect.signature(getattr(Trainer, call)).parameters)[1:]
        assert list(inspect.signature(getattr(trainer, call)).parameters) == wanted
    assert trainer_named(name) is trainer


@pytest.mark.parametrize("name", AT_HAND)
def test_a_job_is_found_by_its_intent_followed_and_cancelled(name: str) -> None:
    trainer, wanted = trainer_named(name), training(name)
    assert trainer.find(wanted.intent) is None
    started = trainer.start(wanted)
    job = trainer.find(wanted.intent)
    assert job
    assert job.id == started.id
    assert trainer.look(started.id).status in FOLLOWING
    with suppress(TrainerRefused):  # it may have ended by itself
        trainer.cancel(started.id)
    assert not FOLLOWING[trainer.look(started.id).status]


@pytest.mark.parametrize("name", AT_HAND)
def test_a_job_that_it_does_not_know_is_refused(name: str) -> None:
    for call in ("look", "cancel"):
        with pytest.raises(TrainerRefused):
            getattr(trainer_named(name), call)("ftjob-nobody")
