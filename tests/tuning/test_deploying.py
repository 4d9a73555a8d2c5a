"""From the end of a training to a model that answers: nothing is deployed twice, and nothing unused costs on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from distillations.distillation import Distillation
from distillations.job import OPEN_JOBS, Job, JobFailure
from foundation import lease, table
from foundation.events import CancelJob, RetireModel
from foundation.ids import now
from providers import ProviderAway, ProviderRefused
from providers.model_version import ModelVersion
from tests.distilling import build
from tests.flow.system import FakeContext, System
from tests.tuning.conftest import Scripted, opened, tick
from tuning.answering import ModelSilent
from tuning.cancel import cancel
from tuning.jobs import LEASE
from tuning.retire import retire
from tuning.trainers import Deployment, ProviderJob, Trained, TrainerAway, TrainerRefused, UnknownState

ARN = "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/abcdefabcdef"
TRAINED = ProviderJob("theirs", "succeeded", fine_tuned_model="a-custom-model", trained_tokens=900)
COMING = Deployment(ARN, "bedrock")
READY = replace(COMING, ready=True)
BUSY = ProviderAway(503, b'{"error": {"message": "loading"}}', {})
UNKNOWN = ProviderRefused(404, b'{"error": {"message": "no such model"}}', {})

pytestmark = pytest.mark.usefixtures("system")


@pytest.fixture
def trainer(trainer: Scripted) -> Scripted:
    trainer.deploys, trainer.deployment = True, COMING
    trainer.jobs["theirs"] = TRAINED
    return trainer


def waited(job: Job, seconds: int) -> None:
    """So long ago was the first look that gave no answer."""
    row = table.get(OPEN_JOBS, job.id) or {}
    noted = ("away_since", "refused_since", "deploying_since")
    table.update(OPEN_JOBS, job.id, {name: now() - seconds for name in noted if row.get(name)})


def test_a_model_is_deployed_before_it_is_registered_asked_and_told(system: System, trainer: Scripted) -> None:
    job = opened()
    for _ in range(3):
        tick(trainer)
    seen = Job.load(job.id)
    assert (seen.status, seen.artifact, seen.fine_tuned_model) == ("deploying", "a-custom-model", None)
    assert trainer.deployed == [Trained(job.id, build.STUDENT, "a-custom-model")] * 3
    assert (ModelVersion.find(ARN), trainer.asked, build.sent(system, "DISTILLING")) == (None, [], [])
    assert system.clock_runs()
    trainer.deployment = READY
    tick(trainer)
    seen = Job.load(job.id)
    assert (seen.status, seen.fine_tuned_model, seen.trained_tokens) == ("succeeded", ARN, 900)
    model = ModelVersion.load(ARN)
    assert (model.provider, model.served_as, model.artifact) == ("bedrock", ARN, "a-custom-model")
    assert trainer.asked == [ARN]
    assert len(build.sent(system, "DISTILLING")) == 1
    assert trainer.retired == []


@pytest.mark.parametrize("refused", [COMING, TrainerRefused("over the quota", "ServiceQuotaExceeded")])
def test_a_deployment_that_fails_ends_the_job_in_the_trainers_words_and_is_retired(
    refused: Any, trainer: Scripted
) -> None:
    job = opened()
    failure = JobFailure(code="ServiceQuotaExceeded", message="over the quota")
    trainer.deployment = refused if isinstance(refused, Exception) else replace(COMING, error=failure)
    tick(trainer)
    seen = Job.load(job.id)
    assert seen.error
    assert (seen.status, seen.error.code) == ("failed", "ServiceQuotaExceeded")
    assert "over the quota" in seen.error.message
    assert [(model.job_id, model.artifact) for model in trainer.retired] == [(job.id, "a-custom-model")]


def test_a_deployment_that_cannot_be_retired_now_keeps_the_job_open(trainer: Scripted) -> None:
    job = opened()
    trainer.deployment, trainer.away = replace(COMING, error=JobFailure(code="odd", message="no")), True
    tick(trainer)
    assert Job.load(job.id).status == "deploying"
    trainer.away = False
    tick(trainer)
    assert (Job.load(job.id).status, len(trainer.retired)) == ("failed", 1)


@pytest.mark.parametrize("waits_s", [0, 25 * 3600], ids=["failed", "without an end"])
def test_what_is_being_retired_is_not_deployed_again(waits_s: int, trainer: Scripted) -> None:
    """A trainer makes anew what it is asked to deploy once the failed deployment is gone."""
    job = opened()
    tick(trainer)
    waited(job, waits_s)
    failure = None if waits_s else JobFailure(code="odd", message="no")
    trainer.deployment, trainer.away = replace(COMING, error=failure), True
    tick(trainer)
    asked = len(trainer.deployed)
    trainer.deployment = READY
    tick(trainer)
    assert (Job.load(job.id).status, len(trainer.deployed)) == ("deploying", asked)
    trainer.away = False
    tick(trainer)
    seen = Job.load(job.id)
    assert seen.error
    assert (seen.status, seen.error.code) == ("failed", "deployment_timeout" if waits_s else "odd")
    assert (len(trainer.deployed), len(trainer.retired)) == (asked, 1)


def test_a_failure_whose_remains_nobody_retires_is_told_in_its_own_words(trainer: Scripted) -> None:
    job = opened()
    trainer.deployment, trainer.away = replace(COMING, error=JobFailure(code="odd", message="no")), True
    tick(trainer)
    waited(job, 25 * 3600)
    tick(trainer)
    seen = Job.load(job.id)
    assert seen.error
    assert (seen.status, seen.error.code) == ("failed", "odd")


def test_what_cannot_be_retired_when_the_patience_is_over_is_retired_after_the_jobs_end(
    system: System, trainer: Scripted
) -> None:
    job = opened()
    trainer.deployment, trainer.away = TrainerAway("busy"), True
    tick(trainer)
    waited(job, 25 * 3600)
    tick(trainer)
    seen = Job.load(job.id)
    assert seen.error
    assert (seen.status, seen.error.code) == ("failed", "trainer_away")
    [asked] = build.sent(system, "TUNING")
    trainer.away = False
    retire(RetireModel.model_validate(asked), trainer)
    assert [(model.job_id, model.artifact) for model in trainer.retired] == [(job.id, "a-custom-model")]


def test_what_the_trainer_refuses_to_retire_is_told_when_the_patience_is_over(
    system: System, trainer: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: ModelVersion) -> None:
        raise TrainerRefused("it is not yours")

    job = opened()
    trainer.deployment = TrainerAway("busy")
    monkeypatch.setattr(trainer, "retire", refuse)
    tick(trainer)
    waited(job, 25 * 3600)
    tick(trainer)
    assert Job.load(job.id).status == "failed"
    assert "may cost" in next(table.query(job.id, prefix="EVENT#not_retired"))["message"]
    assert build.sent(system, "TUNING") == []


def test_what_cannot_be_found_while_it_is_retired_is_no_job_that_vanished(
    trainer: Scripted, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trainer knows no such deployment: its job was trained, and the model may be there."""

    def refuse(_: ModelVersion) -> None:
        raise TrainerRefused("no such endpoint", "not_found", status=404)

    job = opened()
    tick(trainer)
    cancel(CancelJob(job_id=job.id), context, trainer)
    with monkeypatch.context() as patch:
        patch.setattr(trainer, "retire", refuse)
        tick(trainer)
    assert Job.load(job.id).status == "deploying"
    tick(trainer)
    assert (Job.load(job.id).status, Job.load(job.id).error) == ("cancelled", None)
    assert len(trainer.retired) == 1


@pytest.mark.parametrize("deploys", [True, False])
def test_of_a_job_at_which_nobody_can_look_the_deployment_is_retired(
    deploys: bool, system: System, trainer: Scripted
) -> None:
    """Of a trainer that deploys nothing the model is left, as at any other end."""
    job = opened(status="deploying", artifact="a-custom-model")
    trainer.deploys, trainer.deployment = deploys, ZeroDivisionError()  # type: ignore[assignment]
    table.update(OPEN_JOBS, job.id, {"failing_since": now() - 25 * 3600})
    with pytest.raises(ZeroDivisionError):
        tick(trainer)
    assert Job.load(job.id).status == "failed"
    assert [message["type"] for message in build.sent(system, "TUNING")] == ["RetireModel"] * deploys


def test_a_deployment_without_an_end_fails_the_job_and_is_retired(trainer: Scripted) -> None:
    job = opened()
    tick(trainer)
    waited(job, 23 * 3600)
    tick(trainer)
    assert (Job.load(job.id).status, trainer.retired) == ("deploying", [])
    waited(job, 25 * 3600)
    tick(trainer)
    seen = Job.load(job.id)
    assert seen.error
    assert (seen.status, seen.error.code) == ("failed", "deployment_timeout")
    assert [model.job_id for model in trainer.retired] == [job.id]


def test_a_cancellation_while_the_model_is_deployed_retires_it(trainer: Scripted, context: Any) -> None:
    job = opened()
    tick(trainer)
    cancel(CancelJob(job_id=job.id), context, trainer)
    assert trainer.cancelled == [], "the training is over"
    tick(trainer)
    assert Job.load(job.id).status == "cancelled"
    assert [model.job_id for model in trainer.retired] == [job.id]


def test_of_a_trainer_that_deploys_nothing_the_model_is_left(trainer: Scripted, context: Any) -> None:
    """It was paid for and costs nothing."""
    job = opened()
    trainer.deploys, trainer.deployment, trainer.silent = False, None, ModelSilent("m", BUSY)
    tick(trainer)
    cancel(CancelJob(job_id=job.id), context, trainer)
    tick(trainer)
    assert (Job.load(job.id).status, trainer.retired) == ("cancelled", [])


def test_a_model_that_does_not_answer_is_waited_for(trainer: Scripted) -> None:
    job = opened()
    trainer.deployment, trainer.silent = READY, ModelSilent(ARN, UNKNOWN)
    tick(trainer)
    paused = Distillation.load("distill_1").paused
    assert paused
    assert "no such model" in paused.reason
    assert Job.load(job.id).status == "deploying"
    trainer.silent = None
    tick(trainer)
    assert Job.load(job.id).status == "succeeded"
    assert Distillation.load("distill_1").paused is None


@pytest.mark.parametrize(
    ("silent", "seconds", "status"),
    [(UNKNOWN, 1800, "deploying"), (UNKNOWN, 3700, "failed"), (BUSY, 3700, "deploying"), (BUSY, 25 * 3600, "failed")],
)
def test_a_refusal_is_believed_after_an_hour_and_an_absence_after_the_patience(
    silent: ProviderRefused, seconds: int, status: str, trainer: Scripted
) -> None:
    job = opened()
    trainer.deployment, trainer.silent = READY, ModelSilent(ARN, silent)
    tick(trainer)
    waited(job, seconds)
    tick(trainer)
    seen = Job.load(job.id)
    assert seen.status == status
    if status == "failed":
        assert seen.error
        assert silent.message in seen.error.message
        assert ModelVersion.load(ARN).retired_at, "nothing that nobody uses costs on"
        assert [model.id for model in trainer.retired] == [ARN]


def test_an_absence_of_the_trainer_does_not_count_as_the_models_silence(trainer: Scripted) -> None:
    job = opened()
    trainer.deployment = TrainerAway("busy")
    tick(trainer)
    waited(job, 2 * 3600)
    trainer.deployment, trainer.silent = READY, ModelSilent(ARN, UNKNOWN)
    tick(trainer)
    assert Job.load(job.id).status == "deploying"


def test_a_trainer_that_names_no_model_fails_the_job(trainer: Scripted) -> None:
    job = opened()
    trainer.jobs["theirs"] = ProviderJob("theirs", "succeeded")
    tick(trainer)
    seen = Job.load(job.id)
    assert seen.error
    assert (seen.status, seen.error.code, trainer.deployed) == ("failed", "no_model", [])


def test_a_state_that_nobody_knows_rings_the_alarm_and_fails_nothing(system: System, trainer: Scripted) -> None:
    job, other = opened(), opened(2, provider_job_id="other")
    trainer.jobs |= {"theirs": UnknownState("job theirs has the state 'pondering'"), "other": TRAINED}
    trainer.deployment = READY
    with pytest.raises(UnknownState, match="pondering"):
        tick(trainer)
    assert (Job.load(job.id).status, Job.load(other.id).status) == ("queued", "succeeded")
    assert system.clock_runs()


def test_a_state_that_stays_unknown_ends_the_job_when_the_patience_is_over(trainer: Scripted) -> None:
    job = opened()
    trainer.jobs["theirs"] = UnknownState("job theirs has the state 'pondering'")
    with pytest.raises(UnknownState):
        tick(trainer)
    waited(job, 25 * 3600)
    tick(trainer)
    ended = Job.load(job.id)
    assert ended.error
    assert (ended.status, ended.error.code, "pondering" in ended.error.message) == ("failed", "unknown_state", True)


def test_while_another_watcher_is_at_work_nothing_is_deployed(trainer: Scripted) -> None:
    job = opened(status="deploying", artifact="a-custom-model")
    with lease.held(job.id, LEASE, FakeContext()):
        tick(trainer)
    assert (trainer.deployed, Job.load(job.id).status) == ([], "deploying")


def test_a_job_that_another_watcher_has_ended_is_not_deployed(
    trainer: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = opened(status="deploying", artifact="a-custom-model")
    held = lease.held

    def ended_meanwhile(*arguments: Any) -> Any:
        job.change({"status": "cancelled"})
        return held(*arguments)

    monkeypatch.setattr(lease, "held", ended_meanwhile)
    tick(trainer)
    assert (trainer.deployed, Job.load(job.id).status) == ([], "cancelled")
