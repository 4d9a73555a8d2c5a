"""SageMaker, which trains open models and serves them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from moto.cloudwatch.models import cloudwatch_backends
from moto.core import DEFAULT_ACCOUNT_ID

from foundation import aws
from local.fakes.controls import Controls, Timing
from tests.cloud import aws_client
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


class FarSleeping(FarSageMaker):
    """SageMaker with endpoints that may scale to zero: targets, policies, and alarms that wake them."""

    def taken(self) -> Any:
        return super().taken(), dict(_alarms())

    def put_back(self, moment: Any) -> None:
        records, alarms = moment
        super().put_back(records)
        _alarms().clear()
        _alarms().update(alarms)

    def costs(self) -> list[str]:
        """Alarms cost, too, and so does a target that is left, since it would hold what is made later."""
        alarms = [
            alarm["AlarmName"].removesuffix("-awake")
            for alarm in aws_client("cloudwatch").describe_alarms()["MetricAlarms"]
        ]
        targets = [target.name.partition("/")[2] for target in self.records.all("scalable-target")]
        return sorted({*super().costs(), *(name.removesuffix("-base") for name in (*alarms, *targets))})


def _alarms() -> dict[str, Any]:
    """What moto itself keeps of CloudWatch's alarms."""
    alarms: dict[str, Any] = cloudwatch_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].alarms
    return alarms


@dataclass
class Struck:
    """A client of moto's whose calls reach it by way of the far side, which may lose them."""

    far: FarAws
    client: Any

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self.client, name)
        return lambda **parameters: self.far.call(lambda: call(**parameters))


def make_far_side(monkeypatch: pytest.MonkeyPatch) -> FarSageMaker:
    return _made(FarSageMaker, monkeypatch)


def make_sleeping_side(monkeypatch: pytest.MonkeyPatch) -> FarSageMaker:
    monkeypatch.setenv("SAGEMAKER_SERVING", "sleeping")
    far = _made(FarSleeping, monkeypatch)
    far.stand_for("application-autoscaling", monkeypatch)
    alarms: Any = Struck(far, aws_client("cloudwatch"))
    monkeypatch.setattr(aws, "cloudwatch", lambda: alarms)
    return far


def _made(kind: type[FarSageMaker], monkeypatch: pytest.MonkeyPatch) -> FarSageMaker:
    serve_trained(monkeypatch)
    far = kind(
        student=QWEN,
        job_kind="training-job",
        create="CreateTrainingJob",
        status="TrainingJobStatus",
        kept=("model", "endpoint-config", "endpoint", "inference-component"),
        controls=Controls(timing=Timing(validation=0, processing=0, training=0, stopping=0, deployment=_EACH_S)),
    )
    far.stand_for("sagemaker", monkeypatch)
    return far
