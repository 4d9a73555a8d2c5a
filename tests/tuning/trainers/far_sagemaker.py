"""SageMaker, which trains open models and serves them."""

from __future__ import annotations

import pytest

from local.fakes.controls import Controls, Timing
from tests.fakes import QWEN, serve_trained
from tests.tuning.trainers.far_aws import FarAws
from tuning.trainers.sagemaker import SageMakerTrainer

# Three things are made one after the other, and each takes some of the calls that a watcher makes.
_EACH_S = 2.0


class FarSageMaker(FarAws):
    """SageMaker's jobs, and what serves their models: the component of a base has its model's name with an end."""

    def trainer(self) -> SageMakerTrainer:
        return SageMakerTrainer()

    def costs(self) -> list[str]:
        return sorted({name.removesuffix("-base") for name in super().costs()})


def make_far_side(monkeypatch: pytest.MonkeyPatch) -> FarSageMaker:
    serve_trained(monkeypatch)
    far = FarSageMaker(
        student=QWEN,
        job_kind="training-job",
        create="CreateTrainingJob",
        status="TrainingJobStatus",
        kept=("model", "endpoint-config", "endpoint", "inference-component"),
        controls=Controls(timing=Timing(validation=0, processing=0, training=0, stopping=0, deployment=_EACH_S)),
    )
    far.stand_for("sagemaker", monkeypatch)
    return far
