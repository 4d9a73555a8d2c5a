"""SageMaker as a trainer, at the fakes; every request of its clients is held to AWS's own model."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
from botocore.exceptions import ClientError

from foundation import aws, blobs, loop
from foundation.ids import new_id
from foundation.settings import settings
from local.fakes.walker import hold
from providers import ProviderAway, providers, registry
from providers.entry import Entry
from providers.model_version import ModelVersion
from tests.fakes import QWEN, Stand
from tests.tuning.conftest import example_line, pair_line, stored
from tuning.trainers import Trained, TrainerAway, TrainerRefused, Training
from tuning.trainers.sagemaker import SageMakerTrainer
from tuning.trainers.trainer import Deployment, ProviderJob, UnknownState

pytestmark = pytest.mark.usefixtures("system", "lab_at_rest", "aws_trainers")

TRAINER = SageMakerTrainer()
KINDS = ("model", "endpoint-config", "endpoint", "inference-component")
FAMILIES = "Flan, GPT-BigCode, GPT-OSS, Llama, Mistral, Mixtral, Qwen"
QUESTION: dict[str, Any] = {"messages": [{"role": "user", "content": "Answer with one word."}]}


def order(**changes: Any) -> Training:
    lines = b"\n".join(example_line(number) for number in range(12))
    given: dict[str, Any] = {
        "intent": new_id("ftjob-"),
        "model": QWEN,
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
    started = TRAINER.start(training)
    return until(lambda: TRAINER.look(started.id), lambda job: job.status == "succeeded")


def wanted(training: Training, weights: str | None = None) -> Trained:
    """What the training made; without weights, those of a job that the fake never ran."""
    return Trained(training.intent, training.model, weights or lying_there(training.intent))


def lying_there(intent: str, folder: str = "checkpoints/hf/") -> str:
    key = f"tuning/{intent}/output/{intent}/output/model/{folder}"
    blobs.put(f"{key}lab-model.json", b'{"model": "lab-small"}')
    return f"s3://{settings().BUCKET}/{key}"


def deployed(work: Trained) -> Deployment:
    made = until(lambda: TRAINER.deploy(work), lambda deployment: bool(deployment and deployment.ready))
    assert made
    return made


def version(training: Training) -> ModelVersion:
    return ModelVersion(id="m", created_at=1, base=training.model, trainer="sagemaker", job_id=training.intent)


def there(stand: Stand, *kinds: str) -> list[str]:
    return [record.name for kind in kinds or KINDS for record in stand.context.records.all(kind)]


def ask(deployment: Deployment, **more: Any) -> dict[str, Any]:
    """The answer of a model that is registered as the trainer says."""
    ModelVersion(
        id=deployment.served_as,
        created_at=1,
        provider=deployment.provider,
        served_as=deployment.served_as,
        base=QWEN,
        trainer="sagemaker",
    ).create()
    registry.forget()
    asked = {"model": deployment.served_as, **QUESTION, **more}
    return loop.run(providers().complete(asked, deadline_s=20, retry_s=1)).body


def test_a_model_is_trained_served_asked_and_retired(aws_trainers: Stand) -> None:
    training = order(hyperparameters={"n_epochs": 3, "learning_rate": "auto"}, validation=stored(example_line(1)))
    assert TRAINER.check(training) == []
    job = trained(training)
    [record] = aws_trainers.context.records.all("training-job")
    assert record.document["HyperParameters"] == {
        "max_epochs": "3",
        "learning_rate": "0.0001",
        "global_batch_size": "16",
    }
    assert [channel["ChannelName"] for channel in record.document["InputDataConfig"]] == ["train", "validation"]
    assert record.document["RoleArn"] == settings().TRAINING_ROLE_ARN
    assert (job.fine_tuned_model or "").endswith("/output/model/checkpoints/hf/")
    assert job.trained_tokens
    assert [event.message for event in job.events] == ["Starting", "Downloading", "Training", "Completed"]

    deployment = deployed(wanted(training, job.fine_tuned_model))
    name = training.intent
    assert deployment.served_as == f"endpoints/{name}/inference-components/{name}"
    assert there(aws_trainers, "inference-component") == [f"{name}-base", name]
    assert ask(deployment)["choices"][0]["message"]["content"]

    TRAINER.forget(name)
    assert [key for key in blobs.keys(f"tuning/{name}/") if key.endswith(".jsonl")] == []
    assert blobs.keys(f"tuning/{name}/"), "the weights are served"
    TRAINER.retire(version(training))
    assert there(aws_trainers, *KINDS, "model-package") == []
    assert list(blobs.keys(f"tuning/{name}/")) == []
    TRAINER.retire(version(training))


def test_pairs_train_by_a_recipe_of_their_own(aws_trainers: Stand) -> None:
    pairs = stored(b"\n".join(pair_line(number) for number in range(12)))
    training = order(hyperparameters={"beta": 0.2}, train=pairs, method="dpo")
    assert TRAINER.check(training) == []
    assert trained(training).fine_tuned_model
    [record] = aws_trainers.context.records.all("training-job")
    assert record.document["ServerlessJobConfig"]["CustomizationTechnique"] == "DPO"
    assert record.document["HyperParameters"]["beta"] == "0.2"
    [problem] = TRAINER.check(order(hyperparameters={"beta": 0.9}, train=pairs, method="dpo"))
    assert (problem.param, problem.message) == ("hyperparameters.beta", "the recipe takes 0.01 to 0.5 for beta")
    [problem] = TRAINER.check(order(method="dpo"))
    assert (problem.line, "the method asks for pairs" in problem.message) == (1, True)


def test_what_nobody_chose_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: dict[str, Any] = {}
    monkeypatch.setattr(aws.sagemaker(), "create_training_job", lambda **order: sent.update(order))
    TRAINER.start(order(hyperparameters={"n_epochs": "auto", "batch_size": "auto"}))
    assert "HyperParameters" not in sent
    assert sent["ServerlessJobConfig"]["Peft"] == "LORA"
    sent.clear()
    TRAINER.start(order(hyperparameters={"full": True, "batch_size": 32}))
    assert sent["HyperParameters"] == {"global_batch_size": "32"}
    assert "Peft" not in sent["ServerlessJobConfig"]


def test_contents_become_one_text_and_a_developer_is_the_system() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    line = {
        "messages": [
            {"role": "developer", "content": "Sort."},
            {"role": "user", "content": parts},
            {"role": "assistant", "content": "c"},
        ]
    }
    training = order(train=stored(orjson.dumps(line)))
    TRAINER.start(training)
    written = orjson.loads(blobs.get(f"tuning/{training.intent}/train.jsonl"))
    assert [message["content"] for message in written["messages"]] == ["Sort.", "a\nb", "c"]
    assert written["messages"][0]["role"] == "system"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"model": "gpt-4.1-nano"}, "model: SageMaker's public hub has no recipe that fine-tunes 'gpt-4.1-nano'"),
        ({"model": "nova-textgeneration-micro"}, "model: Nova takes other training files: use the trainer 'bedrock'"),
        ({"hyperparameters": {"n_epochs": 11}}, "hyperparameters.n_epochs: the recipe takes 1 to 10 for max_epochs"),
        ({"hyperparameters": {"batch_size": 7}}, "hyperparameters.batch_size: the recipe takes one of 8, 16, 32, 64"),
        ({"hyperparameters": {"warmup_steps": 8}}, "hyperparameters.warmup_steps"),
    ],
)
def test_an_order_that_sagemaker_would_refuse_is_told_before(changes: dict[str, Any], told: str) -> None:
    assert any(told in str(problem) for problem in TRAINER.check(order(**changes)))


def test_a_field_that_the_recipe_does_not_have_is_told_with_those_that_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuning.trainers.recipe._ranges", lambda _: {"lora_alpha": {"min": 1}})
    [problem] = TRAINER.check(order(hyperparameters={"n_epochs": 2}))
    assert str(problem) == "hyperparameters.n_epochs: the recipe takes: lora_alpha"


def test_rows_with_tools_are_told_by_line() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    wrong = {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "tool_calls": [call]}]}
    [problem] = TRAINER.check(order(train=stored(b"\n".join([example_line(0), orjson.dumps(wrong)]))))
    assert (problem.param, problem.line) == ("train", 2)
    assert "has no tools" in problem.message


def test_a_stack_without_the_role_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINING_ROLE_ARN", "")
    settings.cache_clear()
    assert any("SageMakerTraining=true" in problem.message for problem in TRAINER.check(order()))


def test_an_adapter_goes_where_the_student_is_asked(aws_trainers: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    first = order()
    deployed(wanted(first))
    url = f"https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/{first.intent}/inference-components"
    entry = Entry(kind="sagemaker", base_url=f"{url}/{first.intent}-base/openai/v1", models=[QWEN])
    monkeypatch.setattr("tuning.trainers.serving.configured", lambda: [registry.Known("qwen", "api", entry)])
    second = order(model=f"qwen/{QWEN}")
    deployment = deployed(wanted(second))
    assert deployment.served_as == f"endpoints/{first.intent}/inference-components/{second.intent}"
    assert there(aws_trainers, "endpoint") == [first.intent], "no further instance runs"
    assert ask(deployment)["choices"]
    TRAINER.retire(version(second))
    assert there(aws_trainers, "inference-component") == [f"{first.intent}-base", first.intent]


def test_a_model_whose_weights_were_all_trained_is_a_component_of_its_own(aws_trainers: Stand) -> None:
    training = order(hyperparameters={"full": True})
    job = trained(training)
    assert (job.fine_tuned_model or "").endswith("/checkpoints/hf_merged/")
    deployment = deployed(wanted(training, job.fine_tuned_model))
    assert there(aws_trainers, "inference-component") == [training.intent]
    [model] = aws_trainers.context.records.all("model")
    source = model.document["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]
    assert source["S3Uri"] == job.fine_tuned_model
    assert ask(deployment)["choices"]


def test_weights_that_cannot_be_read_fail_the_deployment_in_sagemaker_s_words() -> None:
    training = order()
    work = Trained(training.intent, QWEN, f"s3://{settings().BUCKET}/nowhere/checkpoints/hf/")
    failed = until(lambda: TRAINER.deploy(work), lambda made: bool(made and made.error))
    assert failed
    assert failed.error
    assert (failed.error.code, "cannot be read" in failed.error.message) == ("deployment_failed", True)
    TRAINER.retire(version(training))


def test_a_model_that_the_hub_does_not_serve_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuning.trainers.serving.hosting_of", lambda *_, **__: None)
    with pytest.raises(TrainerRefused, match="does not say how"):
        TRAINER.deploy(wanted(order()))


def test_what_is_still_made_or_deleted_is_retired_later(aws_trainers: Stand) -> None:
    training = order()
    aws_trainers.order("timing", {"deployment": 10, "deletion": 10})
    TRAINER.deploy(wanted(training))
    with pytest.raises(TrainerAway, match="still at work on the endpoint"):
        TRAINER.retire(version(training))
    aws_trainers.pass_time(11)
    with pytest.raises(TrainerAway, match="still deletes the endpoint"):
        TRAINER.retire(version(training))
    aws_trainers.pass_time(11)
    TRAINER.retire(version(training))
    assert there(aws_trainers) == []


def test_a_job_that_could_not_be_read_yet_is_not_started_twice(
    aws_trainers: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = order()
    first = TRAINER.start(training)
    assert TRAINER.start(training).id == first.id
    assert len(aws_trainers.context.records.all("training-job")) == 1
    monkeypatch.setattr(TRAINER, "find", lambda _: None)
    with pytest.raises(TrainerRefused, match="must be unique"):
        TRAINER.start(training)


def test_a_quota_is_waited_for_and_an_unknown_state_is_looked_at(
    aws_trainers: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    fault = {"operation": "CreateTrainingJob", "code": "ResourceLimitExceeded", "times": 5}
    aws_trainers.order("faults", fault)
    with pytest.raises(TrainerAway):
        TRAINER.start(order())
    aws_trainers.context.controls.faults.clear()
    job = {"TrainingJobName": "j", "TrainingJobStatus": "Meditating", "SecondaryStatus": "Training"}
    monkeypatch.setattr(aws.sagemaker(), "describe_training_job", lambda **_: job)
    with pytest.raises(UnknownState, match="Meditating"):
        TRAINER.look("j")
    job |= {"TrainingJobStatus": "Stopped", "SecondaryStatus": "MaxRuntimeExceeded"}
    job["ProgressInfo"] = {"TotalStepCountPerEpoch": 10, "MaxEpoch": 2, "CurrentEpoch": 1, "CurrentStep": 5}
    stopped = TRAINER.look("j")
    assert (stopped.status, stopped.progress) == ("failed", 0.75)
    assert stopped.error
    assert "longer than its stopping condition" in stopped.error.message


@pytest.mark.parametrize(
    ("status", "left"), [("Failed", False), ("Stopped", False), ("Completed", True), ("InProgress", True)]
)
def test_what_a_training_without_a_model_left_goes_with_its_files(
    status: str, left: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = {"TrainingJobName": "ftjob-1", "TrainingJobStatus": status}
    monkeypatch.setattr(aws.sagemaker(), "describe_training_job", lambda **_: job)
    for name in ("train.jsonl", "output/model/weights"):
        blobs.put(f"tuning/ftjob-1/{name}", b"x")
    TRAINER.forget("ftjob-1")
    assert list(blobs.keys("tuning/ftjob-1/")) == (["tuning/ftjob-1/output/model/weights"] if left else [])


@pytest.fixture
def importing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack that has what is trained imported into Bedrock."""
    monkeypatch.setenv("SAGEMAKER_SERVING", "import")
    settings.cache_clear()


@pytest.mark.usefixtures("importing")
def test_a_model_is_imported_into_bedrock_asked_and_deleted(aws_trainers: Stand) -> None:
    training = order()
    job = trained(training)
    assert (job.fine_tuned_model or "").endswith("/checkpoints/hf/"), "an adapter"
    deployment = deployed(wanted(training, job.fine_tuned_model))
    [imported] = aws_trainers.context.records.all("imported-model")
    assert (deployment.served_as, deployment.provider) == (imported.arn, "bedrock_imported")
    assert imported.document["modelDataSource"]["s3DataSource"]["s3Uri"].endswith("/checkpoints/hf_merged/")
    assert there(aws_trainers) == [], "no instance runs"
    tool = {"type": "function", "function": {"name": "sort", "parameters": {"type": "object"}}}
    answer = ask(deployment, tools=[tool])
    assert (answer["choices"][0]["message"]["role"], answer["usage"]["total_tokens"] > 0) == ("assistant", True)
    TRAINER.retire(ModelVersion.load(imported.arn).model_copy(update={"job_id": training.intent}))
    assert there(aws_trainers, "imported-model") == []
    TRAINER.retire(version(training))


@pytest.mark.usefixtures("importing")
def test_an_import_is_not_stopped_but_deleted_when_it_is_done(aws_trainers: Stand) -> None:
    training = order()
    aws_trainers.order("timing", {"deployment": 10})
    work = wanted(training, lying_there(training.intent, "checkpoints/hf_merged/"))
    assert TRAINER.deploy(work) == Deployment("", "bedrock_imported")
    with pytest.raises(TrainerAway, match="still imports"):
        TRAINER.retire(version(training))
    aws_trainers.pass_time(11)
    TRAINER.retire(version(training))
    assert there(aws_trainers, "imported-model") == []
    assert TRAINER.deploy(work) == Deployment("", "bedrock_imported"), "what was deleted is neither ready nor made anew"


@pytest.mark.usefixtures("importing")
def test_an_import_that_fails_fails_in_bedrock_s_words() -> None:
    training = order()
    work = Trained(training.intent, QWEN, f"s3://{settings().BUCKET}/nowhere/checkpoints/hf/")
    failed = until(lambda: TRAINER.deploy(work), lambda made: bool(made and made.error))
    assert failed
    assert failed.error
    assert (failed.error.code, "cannot be read" in failed.error.message) == ("deployment_failed", True)
    TRAINER.retire(version(training))


@pytest.mark.usefixtures("importing")
@pytest.mark.parametrize(
    ("model", "taken"),
    [
        (QWEN, True),
        ("qwen/huggingface-llm-mistral-7b", True),
        ("meta-textgeneration-llama-3-2-1b", True),
        ("huggingface-llm-gpt-oss-20b", True),
        ("huggingface-llm-gemma-3-4b", False),
        ("qwen/huggingface-llm-falcon-7b", False),
    ],
)
def test_what_bedrock_does_not_import_is_refused_by_name_before_it_trains(model: str, taken: bool) -> None:
    told = [str(problem) for problem in TRAINER.check(order(model=model)) if "imports no model" in str(problem)]
    assert told == ([] if taken else [f"model: Bedrock imports no model like '{model}', but of: {FAMILIES}"])


def test_an_imported_model_is_deleted_though_the_stack_imports_none_any_more(aws_trainers: Stand) -> None:
    training = order()
    aws.bedrock().create_model_import_job(
        jobName=training.intent,
        importedModelName=training.intent,
        roleArn=settings().TRAINING_ROLE_ARN,
        modelDataSource={"s3DataSource": {"s3Uri": lying_there(training.intent)}},
    )
    aws.bedrock().get_model_import_job(jobIdentifier=training.intent)
    assert there(aws_trainers, "imported-model") == [training.intent]
    TRAINER.retire(version(training).model_copy(update={"provider": "bedrock_imported"}))
    assert there(aws_trainers, "imported-model") == []


@pytest.fixture
def scaling(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Application Auto Scaling of a stack that lets endpoints scale to zero. Alarms are moto's, held to AWS's model."""
    monkeypatch.setenv("SAGEMAKER_SERVING", "sleeping")
    settings.cache_clear()
    hold(aws.cloudwatch(), answers=False)
    yield aws.application_autoscaling()
    aws.cloudwatch.cache_clear()


def test_a_scaling_that_another_change_keeps_from_being_made_comes_again(
    scaling: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy: Any = {"Error": {"Code": "ConcurrentUpdateException", "Message": "in progress"}}
    busy["ResponseMetadata"] = {"HTTPStatusCode": 400}

    def conflicting(**_: Any) -> None:
        raise ClientError(busy, "PutScalingPolicy")

    monkeypatch.setattr(scaling, "put_scaling_policy", conflicting)
    with pytest.raises(TrainerAway):
        deployed(wanted(order()))


def test_an_endpoint_scales_to_zero_where_that_is_asked_and_a_call_says_so(aws_trainers: Stand, scaling: Any) -> None:
    training = order()
    deployment = deployed(wanted(training))
    [config] = aws_trainers.context.records.all("endpoint-config")
    assert config.document["ProductionVariants"][0]["ManagedInstanceScaling"]["MinInstanceCount"] == 0
    [target] = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["ResourceId"], target["MinCapacity"], target["MaxCapacity"]) == (
        f"inference-component/{training.intent}-base",
        0,
        1,
    )
    policies = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    awake = {policy["PolicyType"]: policy["PolicyARN"] for policy in policies}
    assert set(awake) == {"TargetTrackingScaling", "StepScaling"}
    alarms = aws.cloudwatch().describe_alarms(AlarmNamePrefix=training.intent)["MetricAlarms"]
    assert {alarm["Dimensions"][0]["Value"] for alarm in alarms} == {training.intent, f"{training.intent}-base"}
    assert all(alarm["AlarmActions"] == [awake["StepScaling"]] for alarm in alarms)

    aws_trainers.order("capacity", {"at_zero": True})
    with pytest.raises(ProviderAway, match="503") as away:
        ask(deployment)
    assert (away.value.code, away.value.retry_after) == ("model_starting", 60)
    assert "Ask again in some minutes" in away.value.message

    TRAINER.retire(version(training))
    assert there(aws_trainers) == []
    assert scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"] == []
    assert aws.cloudwatch().describe_alarms(AlarmNamePrefix=training.intent)["MetricAlarms"] == []
