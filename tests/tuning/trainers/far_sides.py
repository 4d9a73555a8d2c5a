"""The far side of every trainer of the registry. To add one: a line here, and the module with its `make_far_side`."""

from __future__ import annotations

from tests.tuning.trainers import (
    far_azure,
    far_bedrock,
    far_deploying,
    far_file,
    far_fireworks,
    far_import,
    far_nebius,
    far_openai,
    far_sagemaker,
    far_together,
)
from tests.tuning.trainers.far_side import MakeFarSide

FAR_SIDES: dict[str, MakeFarSide] = {
    "default": far_openai.make_far_side,
    "bedrock": far_bedrock.make_far_side,
    "file": far_file.make_far_side,
    "sagemaker": far_sagemaker.make_far_side,
    "azure": far_azure.make_far_side,
    "nebius": far_nebius.make_far_side,
    "fireworks": far_fireworks.make_far_side,
    "together": far_together.make_far_side,
}
DOUBLES: dict[str, MakeFarSide] = {
    "double that deploys": far_deploying.make_far_side,
    "sagemaker by import": far_import.make_far_side,
}
"""A trainer of nobody, by which the suite shows that it holds what it says of a deployment, and other settings of those
of the registry."""
