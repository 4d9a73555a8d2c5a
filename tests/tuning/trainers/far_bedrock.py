"""Bedrock, which trains and deploys Nova."""

from __future__ import annotations

import pytest

from tests.fakes import serve_trained
from tests.tuning.trainers.far_aws import FarAws
from tuning.trainers.bedrock import BedrockTrainer


class FarBedrock(FarAws):
    """Bedrock's jobs, custom models and deployments."""

    def trainer(self) -> BedrockTrainer:
        return BedrockTrainer()


def make_far_side(monkeypatch: pytest.MonkeyPatch) -> FarBedrock:
    serve_trained(monkeypatch)
    far = FarBedrock(
        student="bedrock/amazon.nova-micro-v1:0",
        job_kind="customization-job",
        create="CreateModelCustomizationJob",
        status="status",
        kept=("deployment", "custom-model"),
    )
    far.stand_for("bedrock", monkeypatch)
    return far
