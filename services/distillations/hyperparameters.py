"""What each trainer takes beside the training files. A trainer's entry in the registry names its declaration here.

What a caller does not give stays with the trainer, which then chooses for itself.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from foundation.document import Body

type Auto = Literal["auto"]


class _Chosen(Body):
    """What a caller chooses; a trainer's declaration has the fields."""

    def given(self) -> dict[str, Any]:
        """What the caller has said."""
        return self.model_dump(exclude_none=True)


class OpenAIHyperparameters(_Chosen):
    """Those of OpenAI's supervised fine-tuning, within OpenAI's bounds; `auto` leaves the choice to OpenAI."""

    n_epochs: Auto | Annotated[int, Field(strict=True, ge=1, le=50)] | None = None
    """How often each example is trained on."""
    batch_size: Auto | Annotated[int, Field(strict=True, ge=1, le=256)] | None = None
    """How many examples one step looks at."""
    learning_rate_multiplier: Auto | Annotated[float, Field(strict=True, gt=0)] | None = None
    """By which OpenAI's own learning rate is multiplied."""


class NovaHyperparameters(_Chosen):
    """Those of Nova's fine-tuning in Amazon Bedrock, within its bounds; `auto` leaves the choice to Bedrock."""

    n_epochs: Auto | Annotated[int, Field(strict=True, ge=1, le=5)] | None = None
    """How often each example is trained on; Bedrock's `epochCount`."""
    learning_rate: Auto | Annotated[float, Field(strict=True, ge=1e-6, le=1e-4)] | None = None
    """The learning rate; Bedrock's `learningRate`."""
    warmup_steps: Auto | Annotated[int, Field(strict=True, ge=0, le=100)] | None = None
    """In how many steps the learning rate rises to its value; Bedrock's `learningRateWarmupSteps`."""
