"""Whom the demo lets train: the lab as OpenAI's API, the lab behind the fakes of AWS, or a person, whom the demo plays.

In: the name of a trainer. Out: its class. Fails with `DemoFailed` for a name that is not known.
"""

from __future__ import annotations

from local.demo.at_aws import Bedrock, SageMaker
from local.demo.person import Person
from local.demo.trainer import Trainer
from local.demo.waiting import DemoFailed

TRAINERS: dict[str, type[Trainer]] = {"default": Trainer, "bedrock": Bedrock, "sagemaker": SageMaker, "file": Person}


def chosen(name: str) -> type[Trainer]:
    """The trainer of this name."""
    if name not in TRAINERS:
        raise DemoFailed(f"the demo knows no trainer '{name}': use one of {', '.join(TRAINERS)}")
    return TRAINERS[name]
