"""Bedrock as a trainer, at the fakes; every request of its clients is held to AWS's own model."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from distillations.job import FOLLOWING
from foundation import aws, blobs, loop
from foundation.ids import new_id
from foundation.settings import settings
from providers import providers, registry
from providers.model_version import ModelVersion
from tests.fakes import Stand
from tests.tuning.conftest import example_line, stored
from tuning.trainers import Trained, TrainerAway, TrainerRefused, Training
from tuning.trainers.bedrock import BedrockTrainer
from tuning.trainers.trainer import Deployment, ProviderJob, UnknownState

pytestmark = pytest.mark.usefixtures("system", "lab_at_rest", "aws_trainers")

BASE = "bedrock/amazon.nova-micro-v1:0"
TRAINER = BedrockTrainer()


def order(**changes: Any) -> Training:
    lines = b"\n".join(example_line(number) for number in range(12))
    given: dict[str, Any] = {
        "intent": new_id("ftjob-"),
        "model": BASE,
        "train": stored(lines),
        "validation": None,
        "hyperparameters": {},
        "seed": 3,
        "suffix": "s",
    }
    return Training(**{**given, **changes})


def until[Seen](look: Callable[[], Seen], is_there: Callable[[Seen], bool]) -> Seen:
    """The lab trains in a thread of its own, for a second or so."""
    for _ in range(400):
        seen = look()
        if is_there(seen):
            return seen
        time.sleep(0.02)
    raise AssertionError(seen)


def trained(training: Training) -> ProviderJob:
    started = TRAINER.find(training.intent) or TRAINER.start(training)
    return until(lambda: TRAINER.look(started.id), lambda job: not FOLLOWING[job.status] or job.status == "succeeded")


def deployed(training: Training) -> tuple[ProviderJob, Deployment]:
    job = trained(training)
    wanted = Trained(training.intent, training.model, job.fine_tuned_model or "")
    made = until(lambda: TRAINER.deploy(wanted), lambda deployment: bool(deployment and deployment.ready))
    assert made
    return job, made


def version(training: Training, job: ProviderJob, deployment: Deployment | None) -> ModelVersion:
    served_as = deployment.served_as if deployment else ""
    return ModelVersion(
        id="m",
        created_at=1,
        served_as=served_as,
        artifact=job.fine_tuned_model,
        base=training.model,
        trainer="bedrock",
        job_id=training.intent,
    )


def test_a_model_is_trained_deployed_asked_and_retired(aws_trainers: Stand) -> None:
    training = order(hyperparameters={"n_epochs": 3, "learning_rate": 1e-5, "warmup_steps": "auto"})
    assert TRAINER.check(training) == []
    job, deployment = deployed(training)
    assert ":custom-model/amazon.nova-micro-v1:0:128k/" in (job.fine_tuned_model or "")
    assert deployment.provider == "bedrock"
    [record] = aws_trainers.context.records.all("customization-job")
    assert record.document["hyperParameters"] == {
        "epochCount": "3",
        "learningRate": "1e-05",
        "learningRateWarmupSteps": "10",
    }
    assert record.document["roleArn"] == settings().TRAINING_ROLE_ARN
    losses = [event.metrics["train_loss"] for event in job.events if event.metrics]
    assert len(losses) == 1
    assert [event.message for event in job.events if not event.metrics] == [
        "Validating the data: Completed",
        "Processing the data: Completed",
        "Training: Completed",
    ]
    question = {"messages": [{"role": "user", "content": "Answer with one word."}]}
    name = f"{deployment.provider}/{deployment.served_as}"
    answer = loop.run(providers().complete({"model": name, **question}, deadline_s=20))
    assert answer.body["choices"][0]["message"]["content"]
    TRAINER.forget(training.intent)
    assert not [key for key in blobs.keys("tuning/") if training.intent in key]
    for _ in range(2):
        TRAINER.retire(version(training, job, deployment))
    assert not aws_trainers.context.records.all("deployment")
    assert not aws_trainers.context.records.all("custom-model")


def test_a_training_file_is_converted_and_the_validation_goes_beside_it(aws_trainers: Stand) -> None:
    training = order(validation=stored(example_line(1)))
    TRAINER.start(training)
    [record] = aws_trainers.context.records.all("customization-job")
    assert record.document["validationDataConfig"]["validators"][0]["s3Uri"].endswith("/validation.jsonl")
    key = record.document["trainingDataConfig"]["s3Uri"].partition(f"{settings().BUCKET}/")[2]
    assert blobs.get(key).count(b"bedrock-conversation-2024") == 12
    second = order(model="amazon.nova-2-lite-v1:0", validation=stored(example_line(1)))
    TRAINER.start(second)
    [_, later] = aws_trainers.context.records.all("customization-job")
    assert later.document["validationDataConfig"] == {"validators": []}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"model": "gpt-4.1-nano"}, "model: Bedrock fine-tunes here: amazon.nova-micro-v1:0"),
        ({"hyperparameters": {"n_epochs": 6}}, "hyperparameters.n_epochs"),
        ({"hyperparameters": {"batch_size": 8}}, "hyperparameters.batch_size"),
    ],
)
def test_an_order_that_bedrock_would_refuse_is_told_before(changes: dict[str, Any], told: str) -> None:
    assert any(told in str(problem) for problem in TRAINER.check(order(**changes)))


def test_lines_that_have_no_counterpart_are_told_with_their_number() -> None:
    wrong = example_line(1).replace(b"mail 1", b"User: mail 1")
    [problem] = TRAINER.check(order(train=stored(b"\n".join([example_line(0), wrong]))))
    assert (problem.param, problem.line) == ("train", 2)
    assert "Nova keeps 'User:' for itself" in problem.message


def test_a_stack_without_the_role_or_the_provider_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINING_ROLE_ARN", "")
    monkeypatch.setattr(registry._CONFIGURED, "get", lambda: [registry._default()])
    settings.cache_clear()
    told = [problem.message for problem in TRAINER.check(order())]
    assert any("BedrockTraining=true" in message for message in told)
    assert any("no provider of the kind 'bedrock'" in message for message in told)


@pytest.mark.parametrize("when", ["before", "after"])
def test_whatever_call_breaks_off_there_is_one_job_one_deployment_and_in_the_end_nothing(
    aws_trainers: Stand, when: str
) -> None:
    training = order()
    records = aws_trainers.context.records

    def broken(operation: str, call: Callable[[], Any]) -> Any:
        """The call with its answer lost or its request refused so often that botocore gives up; then once more."""
        fault = {"operation": operation, "code": "InternalServerException", "when": when, "times": 5}
        aws_trainers.order("faults", fault)
        with suppress(TrainerAway):
            call()
        assert aws_trainers.context.controls.calls[operation] >= 1
        aws_trainers.context.controls.faults.clear()
        return call()

    broken("CreateModelCustomizationJob", lambda: TRAINER.find(training.intent) or TRAINER.start(training))
    job = trained(training)
    assert len(records.all("customization-job")) == 1
    wanted = Trained(training.intent, training.model, job.fine_tuned_model or "")
    broken("CreateCustomModelDeployment", lambda: TRAINER.deploy(wanted))
    deployment = until(lambda: TRAINER.deploy(wanted), lambda made: bool(made and made.ready))
    assert len(records.all("deployment")) == 1
    model = version(training, job, deployment)
    broken("DeleteCustomModelDeployment", lambda: TRAINER.retire(model))
    assert not records.all("deployment")
    assert not records.all("custom-model")


def test_a_job_that_could_not_be_read_yet_is_not_started_twice(
    aws_trainers: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = order()
    first = TRAINER.start(training)
    record = aws_trainers.context.records.find("customization-job", training.intent)
    assert record
    # The token is forgotten: AWS says for no time how long it keeps one.
    [token] = aws_trainers.context.records.all("token")
    aws_trainers.context.records.drop(token)
    assert TRAINER.start(training).id == first.id
    monkeypatch.setattr(TRAINER, "find", lambda _: None)
    with pytest.raises(TrainerRefused, match="is taken"):
        TRAINER.start(training)


def test_a_deployment_that_broke_off_is_retired_by_the_intent(aws_trainers: Stand) -> None:
    training = order()
    job, _ = deployed(training)
    lost = version(training, job, None).model_copy(update={"artifact": None})
    TRAINER.retire(lost)
    assert not aws_trainers.context.records.all("deployment")
    assert not aws_trainers.context.records.all("custom-model")


def test_what_is_being_deployed_is_retired_later(aws_trainers: Stand) -> None:
    training = order()
    job = trained(training)
    aws_trainers.order("timing", {"deployment": 60})
    wanted = Trained(training.intent, training.model, job.fine_tuned_model or "")
    deployment = TRAINER.deploy(wanted)
    assert deployment
    assert not deployment.ready
    with pytest.raises(TrainerAway):
        TRAINER.retire(version(training, job, deployment))
    aws_trainers.pass_time(61)
    TRAINER.retire(version(training, job, deployment))
    assert not aws_trainers.context.records.all("deployment")


def test_a_failed_job_has_bedrock_s_words_and_a_stopped_one_is_cancelled(aws_trainers: Stand) -> None:
    failing = order(train=stored(example_line(0)))  # the lab wants ten rows
    failed = trained(failing)
    assert failed.status == "failed"
    assert failed.error
    assert "needs at least 10" in failed.error.message
    aws_trainers.order("timing", {"training": 60, "stopping": 60})
    training = order()
    started = TRAINER.start(training)
    TRAINER.cancel(started.id)
    assert TRAINER.look(started.id).status in {"running", "validating_files"}
    aws_trainers.pass_time(61)
    assert TRAINER.look(started.id).status == "cancelled"
    with pytest.raises(TrainerRefused):
        TRAINER.cancel(started.id)


def test_a_quota_and_a_throttle_are_waited_for_and_an_unknown_state_is_looked_at(
    aws_trainers: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    training = order()
    for code in ("ServiceQuotaExceededException", "ThrottlingException"):
        aws_trainers.order("faults", {"operation": "CreateModelCustomizationJob", "code": code, "times": 5})
        with pytest.raises(TrainerAway):
            TRAINER.start(training)
        aws_trainers.context.controls.faults.clear()
    aws_trainers.order("faults", {"operation": "GetModelCustomizationJob", "code": "AccessDeniedException"})
    with pytest.raises(TrainerRefused) as refused:
        TRAINER.find(training.intent)
    assert refused.value.status == 403
    answer = {"status": "Meditating", "jobName": "j", "jobArn": "a"}
    monkeypatch.setattr(aws.bedrock(), "get_model_customization_job", lambda **_: answer)
    with pytest.raises(UnknownState, match="Meditating"):
        TRAINER.look("j")


def test_bedrock_out_of_reach_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://bedrock.example")

    monkeypatch.setattr(aws.bedrock(), "get_model_customization_job", unreachable)
    with pytest.raises(TrainerAway, match="could not be asked"):
        TRAINER.look("j")


def test_a_training_costs_what_the_stack_s_price_list_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert TRAINER.estimate(order()).cost_usd is None
    monkeypatch.setattr("distillations.estimates.prices.training_nanodollars", lambda _: 1_000_000)
    training = order(hyperparameters={"n_epochs": 4})
    assert TRAINER.estimate(training).cost_usd == round(training.train.size / 4 * 4 / 1000, 2)
