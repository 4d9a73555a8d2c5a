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
DOUBLES: dict[str, MakeFarSide] = {"double that deploys": far_deploying.make_far_side}
"""Trainers of nobody: the suite shows by them that it holds what it says of a deployment."""
WAYS: dict[str, MakeFarSide] = {
    "sagemaker by import": far_import.make_far_side,
    "sagemaker to zero": far_sagemaker.make_sleeping_side,
}
"""Other ways in which trainers of the registry serve what they trained; their jobs are the same."""
