"""A model is retired at its trainer, however often that is asked for."""

from __future__ import annotations

import pytest

from distillations.job import Job
from foundation import table
from foundation.events import RetireModel
from foundation.ids import now
from providers.model_version import ModelVersion
from tests.distilling import build
from tests.flow.system import System
from tests.tuning.conftest import Scripted
from tuning.retire import give_up, retire
from tuning.trainers import TrainerRefused

ASKED = RetireModel(model_id="m")


@pytest.fixture
def model(system: System) -> ModelVersion:
    assert system
    job = build.job(build.distillation("completed", dataset_id="dataset_1", job_id="ftjob-1"))
    made = ModelVersion(id="m", created_at=1, base="b", trainer="default", job_id=job.id)
    made.create()
    return made


def test_it_is_retired_once(model: ModelVersion, trainer: Scripted) -> None:
    for _ in range(2):
        retire(ASKED, trainer)
    assert ModelVersion.load(model.id).retired_at
    assert [retired.id for retired in trainer.retired] == [model.id]


def test_while_the_trainer_is_away_it_is_asked_again(system: System, model: ModelVersion, trainer: Scripted) -> None:
    trainer.away = True
    retire(ASKED, trainer)
    [again] = build.sent(system, "TUNING")
    assert (again["type"], again["away_since"] > 0, ModelVersion.load(model.id).retired_at) == (
        "RetireModel",
        True,
        None,
    )
    trainer.away = False
    retire(RetireModel.model_validate(again), trainer)
    assert ModelVersion.load(model.id).retired_at


@pytest.mark.parametrize("away", [True, False])
def test_a_job_that_still_deploys_the_model_is_cancelled(away: bool, model: ModelVersion, trainer: Scripted) -> None:
    """Else the watcher deploys again what is being deleted."""
    job = Job.load(model.job_id or "")
    job.change({"status": "deploying"})
    trainer.away = away
    retire(ASKED, trainer)
    assert Job.load(job.id).cancel_requested_at
    job.change({"status": "succeeded", "cancel_requested_at": None})
    retire(ASKED, trainer)
    assert Job.load(job.id).cancel_requested_at is None


def test_what_cannot_be_retired_may_cost_and_says_so(
    system: System, model: ModelVersion, trainer: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer.away = True
    retire(RetireModel(model_id=model.id, away_since=now() - 25 * 3600), trainer)
    assert build.sent(system, "TUNING") == []

    def refuse(_: ModelVersion) -> None:
        raise TrainerRefused("it is deployed elsewhere")

    monkeypatch.setattr(trainer, "retire", refuse)
    retire(ASKED, trainer)
    assert ModelVersion.load(model.id).retired_at is None
    assert "may cost" in next(table.query(model.job_id or "", prefix="EVENT#not_retired"))["message"]


def test_a_model_that_no_trainer_made_is_only_marked(system: System) -> None:
    assert system
    ModelVersion(id="own", created_at=1, base="b", trainer="").create()
    retire(RetireModel(model_id="own"))
    assert ModelVersion.load("own").retired_at
    retire(RetireModel(model_id="nobody"))


def test_a_message_that_fails_for_good_says_that_the_model_may_cost(model: ModelVersion) -> None:
    give_up(ASKED, "it was tried 5 times")
    assert ModelVersion.load(model.id).retired_at is None
    assert "tried 5 times" in next(table.query("ftjob-1", prefix="EVENT#not_retired"))["message"]
    model.change({"retired_at": 1})
    give_up(RetireModel(model_id="nobody"), "it was tried 5 times")
