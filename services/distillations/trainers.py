"""The trainers that a distillation may name: the registry that API, jobs and `tuning` read.

To add one: a line here, and the module that it names in `tuning/trainers/`. That module is imported only where a job of
the trainer is at work, since libraries know no function and a cold start need not know every provider's SDK.
"""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, ValidationInfo, WithJsonSchema, WrapValidator

from distillations.hyperparameters import (
    GivenHyperparameters,
    NovaHyperparameters,
    OpenAIHyperparameters,
    OwnHyperparameters,
    SageMakerHyperparameters,
)
from distillations.nova import NovaExample
from distillations.open_weights import OpenWeightsExample
from distillations.supervised import OpenAIExample


class TrainerEntry(NamedTuple):
    """Where a trainer is implemented, what it is, for people who choose one, and what it takes."""

    module: str
    description: str
    hyperparameters: type[GivenHyperparameters]
    """What it takes beside the files."""
    example: type[OpenAIExample]
    """What each line of its training files must be."""


TRAINERS: dict[str, TrainerEntry] = {
    "default": TrainerEntry(
        "openai_compatible", "OpenAI's fine-tuning API, at the default provider", OpenAIHyperparameters, OpenAIExample
    ),
    "file": TrainerEntry(
        "file",
        "files for a training on your own machine: the job waits until you name the model",
        OwnHyperparameters,
        OpenAIExample,
    ),
    "bedrock": TrainerEntry(
        "bedrock", "Amazon Nova, fine-tuned and served on demand by Amazon Bedrock", NovaHyperparameters, NovaExample
    ),
    "sagemaker": TrainerEntry(
        "sagemaker",
        "open models such as Qwen, fine-tuned by Amazon SageMaker without servers and served by Amazon Bedrock",
        SageMakerHyperparameters,
        OpenWeightsExample,
    ),
}


def _known(name: str) -> str:
    if name not in TRAINERS:
        raise ValueError(f"use one of {', '.join(TRAINERS)}")
    return name


type TrainerName = Annotated[
    str,
    AfterValidator(_known),
    WithJsonSchema(
        {
            "type": "string",
            "enum": list(TRAINERS),
            "description": "; ".join(f"`{name}`: {entry.description}" for name, entry in TRAINERS.items()),
        }
    ),
]
"""A name that the registry has, as a caller gives it."""


def _as_declared(given: Any, _: Any, about: ValidationInfo) -> Any:
    """Check by what the named trainer declares; where the name itself is wrong, by what the default one does."""
    entry = TRAINERS.get(about.data.get("trainer", ""), TRAINERS["default"])
    return entry.hyperparameters.model_validate(given)


type Hyperparameters = Annotated[
    OpenAIHyperparameters | OwnHyperparameters | NovaHyperparameters | SageMakerHyperparameters,
    WrapValidator(_as_declared),
]
"""What a caller asks of the trainer that the field `trainer` before it names; the arms are all declarations."""
