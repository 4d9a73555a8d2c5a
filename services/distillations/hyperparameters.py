"""What each trainer takes beside the training files. A trainer's entry in the registry names its declaration here.

What a caller does not give stays with the trainer, which then chooses for itself.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from foundation.document import Body

type Auto = Literal["auto"]


class GivenHyperparameters(Body):
    """What every declaration has."""

    DEFAULT_EPOCHS: ClassVar[int | None] = 3
    """How often a trainer goes through the examples that chooses for itself; None where nobody knows the cost."""

    def given(self) -> dict[str, Any]:
        """What the caller has said."""
        return self.model_dump(exclude_none=True)


class OpenAIHyperparameters(GivenHyperparameters):
    """Those of OpenAI's supervised fine-tuning, within OpenAI's bounds; `auto` leaves the choice to OpenAI."""

    n_epochs: Auto | Annotated[int, Field(strict=True, ge=1, le=50)] | None = None
    """How often each example is trained on."""
    batch_size: Auto | Annotated[int, Field(strict=True, ge=1, le=256)] | None = None
    """How many examples one step looks at."""
    learning_rate_multiplier: Auto | Annotated[float, Field(strict=True, gt=0)] | None = None
    """By which OpenAI's own learning rate is multiplied."""
    beta: Auto | Annotated[float, Field(strict=True, gt=0, le=2)] | None = None
    """Of pairs: how closely the model keeps to the one that it starts from; OpenAI's `beta` of the method `dpo`."""


class OwnHyperparameters(GivenHyperparameters):
    """Those of a training on one's own machine; what is not given is chosen by `infra/train/sft.py`."""

    DEFAULT_EPOCHS: ClassVar[int | None] = None

    n_epochs: Annotated[int, Field(strict=True, ge=1, le=50)] | None = None
    """How often each example is trained on."""
    batch_size: Annotated[int, Field(strict=True, ge=1, le=1024)] | None = None
    """How many examples one step looks at, over all devices."""
    learning_rate: Annotated[float, Field(strict=True, gt=0, le=1)] | None = None
    """How far one step goes."""
    max_length: Annotated[int, Field(strict=True, ge=16, le=1_048_576)] | None = None
    """The tokens of an example that are looked at; what is longer is cut."""
    lora_rank: Annotated[int, Field(strict=True, ge=1, le=1024)] | None = None
    """The rank of the adapter that is trained beside the model."""
    beta: Annotated[float, Field(strict=True, gt=0, le=10)] | None = None
    """Of pairs: how closely the model keeps to the one that it starts from; TRL's `beta`."""
    full: Annotated[bool, Field(strict=True)] | None = None
    """Train all weights instead of an adapter."""


class NovaHyperparameters(GivenHyperparameters):
    """Those of Nova's fine-tuning in Amazon Bedrock, within its bounds; `auto` leaves the choice to Bedrock."""

    DEFAULT_EPOCHS: ClassVar[int | None] = 2

    n_epochs: Auto | Annotated[int, Field(strict=True, ge=1, le=5)] | None = None
    """How often each example is trained on; Bedrock's `epochCount`."""
    learning_rate: Auto | Annotated[float, Field(strict=True, ge=1e-6, le=1e-4)] | None = None
    """The learning rate; Bedrock's `learningRate`."""
    warmup_steps: Auto | Annotated[int, Field(strict=True, ge=0, le=100)] | None = None
    """In how many steps the learning rate rises to its value; Bedrock's `learningRateWarmupSteps`."""


class SageMakerHyperparameters(GivenHyperparameters):
    """Those of SageMaker's recipes, whose own ranges are narrower; `auto` leaves the choice to the recipe."""

    DEFAULT_EPOCHS: ClassVar[int | None] = 1

    n_epochs: Auto | Annotated[int, Field(strict=True, ge=1, le=100)] | None = None
    """How often each example is trained on."""
    batch_size: Auto | Annotated[int, Field(strict=True, ge=1, le=4096)] | None = None
    """How many examples one step looks at."""
    learning_rate: Auto | Annotated[float, Field(strict=True, gt=0, le=1)] | None = None
    """How far one step goes."""
    beta: Auto | Annotated[float, Field(strict=True, gt=0, le=10)] | None = None
    """Of pairs: how closely the model keeps to the one that it starts from; the recipe's range is narrower."""
    full: Annotated[bool, Field(strict=True)] | None = None
    """Train all weights instead of an adapter."""


class FireworksHyperparameters(GivenHyperparameters):
    """Those of Fireworks' supervised fine-tuning with LoRA; `auto` leaves the choice to Fireworks."""

    DEFAULT_EPOCHS: ClassVar[int | None] = 1

    n_epochs: Auto | Annotated[int, Field(strict=True, ge=1, le=50)] | None = None
    """How often each example is trained on; Fireworks' `epochs`."""
    batch_size: Auto | Annotated[int, Field(strict=True, ge=1, le=1024)] | None = None
    """How many examples one step looks at; Fireworks' `batchSizeSamples`."""
    learning_rate: Auto | Annotated[float, Field(strict=True, gt=0, le=1)] | None = None
    """How far one step goes; Fireworks' `learningRate`."""
    lora_rank: Auto | Annotated[int, Field(strict=True, ge=1, le=1024)] | None = None
    """The rank of the adapter; Fireworks' `loraRank`."""
    max_length: Auto | Annotated[int, Field(strict=True, ge=16, le=1_048_576)] | None = None
    """The tokens of an example that are looked at; Fireworks' `maxContextLength`."""
    beta: Auto | Annotated[float, Field(strict=True, gt=0, lt=0.5)] | None = None
    """Of pairs: how closely the model keeps to the one that it starts from; Fireworks' `lossConfig.dpo.beta`."""


class TogetherHyperparameters(GivenHyperparameters):
    """Those of Together's supervised fine-tuning; `auto` leaves the choice to Together."""

    DEFAULT_EPOCHS: ClassVar[int | None] = 1

    n_epochs: Auto | Annotated[int, Field(strict=True, ge=1, le=50)] | None = None
    """How often each example is trained on."""
    batch_size: Auto | Annotated[int, Field(strict=True, ge=1, le=1024)] | None = None
    """How many examples one step looks at; `auto` is Together's `max`."""
    learning_rate: Auto | Annotated[float, Field(strict=True, gt=0, le=1)] | None = None
    """How far one step goes."""
    lora_rank: Auto | Annotated[int, Field(strict=True, ge=1, le=1024)] | None = None
    """The rank of the adapter; Together's `lora_r`, with twice of it as `lora_alpha`."""
    max_length: Auto | Annotated[int, Field(strict=True, ge=16, le=1_048_576)] | None = None
    """The tokens of an example that are looked at; Together's `max_seq_length`."""
    beta: Auto | Annotated[float, Field(strict=True, gt=0, le=10)] | None = None
    """Of pairs: how closely the model keeps to the one that it starts from; Together's `dpo_beta`."""
    full: Annotated[bool, Field(strict=True)] | None = None
    """Train all weights instead of an adapter."""

    @model_validator(mode="after")
    def _has_an_adapter_or_none(self) -> Self:
        if self.full and isinstance(self.lora_rank, int):
            raise ValueError("lora_rank is that of an adapter, and full trains none: give one of them")
        return self


class AzureHyperparameters(OpenAIHyperparameters):
    """OpenAI's, and how Azure trains."""

    training_type: Literal["Standard", "GlobalStandard", "developerTier"] | None = None
    """Where, and at which price; Azure's `trainingType`."""


class NebiusHyperparameters(GivenHyperparameters):
    """Those of Nebius' fine-tuning of adapters; what is not given is chosen by Nebius."""

    n_epochs: Annotated[int, Field(strict=True, ge=1, le=50)] | None = None
    """How often each example is trained on."""
    batch_size: Annotated[int, Field(strict=True, ge=1, le=1024)] | None = None
    """How many examples one step looks at."""
    learning_rate: Annotated[float, Field(strict=True, gt=0, le=1)] | None = None
    """How far one step goes."""
    lora_rank: Annotated[int, Field(strict=True, ge=1, le=1024)] | None = None
    """The rank of the adapter; Nebius' `lora_r`."""
    max_length: Annotated[int, Field(strict=True, ge=16, le=1_048_576)] | None = None
    """The tokens of an example that are looked at; Nebius' `context_length`."""
