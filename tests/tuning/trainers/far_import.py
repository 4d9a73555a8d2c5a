"""SageMaker, where what it trains is imported into Bedrock."""

from __future__ import annotations

import pytest

from local.fakes.controls import Controls, Timing
from tests.fakes import QWEN, serve_trained
from tests.tuning.trainers.far_aws import FarAws
from tuning.trainers.sagemaker import SageMakerTrainer

_IMPORT_S = 4.0


class FarImport(FarAws):
    """SageMaker's jobs, and Bedrock's imports: a job of an import stays in Bedrock's books, and costs nothing."""

    def trainer(self) -> SageMakerTrainer:
        return SageMakerTrainer()

    def costs(self) -> list[str]:
        jobs = self.records.all("import-job")
        assert len({job.name for job in jobs}) == len(jobs), "something was imported twice"
        return sorted({*super().costs(), *(job.name for job in jobs if job.document["status"] == "InProgress")})


def make_far_side(monkeypatch: pytest.MonkeyPatch) -> FarImport:
    monkeypatch.setenv("SAGEMAKER_SERVING", "import")
    serve_trained(monkeypatch)
    far = FarImport(
        student=QWEN,
        job_kind="training-job",
        create="CreateTrainingJob",
        status="TrainingJobStatus",
        kept=("imported-model", "model", "endpoint-config", "endpoint", "inference-component"),
        controls=Controls(timing=Timing(validation=0, processing=0, training=0, stopping=0, deployment=_IMPORT_S)),
    )
    far.stand_for("sagemaker", monkeypatch)
    far.stand_for("bedrock", monkeypatch)
    return far
