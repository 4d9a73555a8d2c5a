"""SageMaker's fake as boto3's clients see it; each client is held to AWS's model both ways."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from botocore.exceptions import ClientError

from local.fakes.objects import read, read_weights
from providers.sagemaker import BearerToken
from tests.fakes import BUCKET, Stand

ROLE = "arn:aws:iam::123456789012:role/Stillhouse"
MODEL = "huggingface-reasoning-qwen3-06b"
BASE = f"arn:aws:sagemaker:us-east-1:aws:hub-content/SageMakerPublicHub/Model/{MODEL}"
GROUP = "arn:aws:sagemaker:us-east-1:123456789012:model-package-group/stillhouse"


def row(number: int, **extra: Any) -> dict[str, Any]:
    answer = "refund" if number % 2 else "delivery"
    messages = [
        {"role": "system", "content": "Sort this mail."},
        {"role": "user", "content": f"Letter {number} about a {answer}"},
        {"role": "assistant", "content": answer, **extra},
    ]
    return {"messages": messages}


def job(stand: Stand, *more: dict[str, Any], **changes: Any) -> dict[str, Any]:
    lines = "\n".join(json.dumps(each) for each in [*(row(number) for number in range(12)), *more])
    uri = stand.put("training/train.jsonl", lines.encode())
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {
        "TrainingJobName": "ftjob-01",
        "RoleArn": ROLE,
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/out"},
        "ServerlessJobConfig": {
            "BaseModelArn": BASE,
            "JobType": "FineTuning",
            "CustomizationTechnique": "SFT",
            "Peft": "LORA",
            "AcceptEula": True,
        },
        "ModelPackageConfig": {"ModelPackageGroupArn": GROUP},
        **changes,
    }


@pytest.fixture
def sagemaker(stand: Stand) -> Any:
    """A client of the fake, which has the group of model packages."""
    client = stand.client("sagemaker")
    client.create_model_package_group(ModelPackageGroupName="stillhouse")
    return client


def refusal(call: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def ended(sagemaker: Any) -> dict[str, Any]:
    """The job once it has ended; the lab trains in a thread of its own, for a second or so."""
    for _ in range(400):
        seen: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName="ftjob-01")
        if seen["TrainingJobStatus"] not in {"InProgress", "Stopping"}:
            return seen
        time.sleep(0.02)
    raise AssertionError(seen)


def test_a_job_goes_through_its_states_to_a_model_package_and_weights(stand: Stand, sagemaker: Any) -> None:
    arn = sagemaker.create_training_job(**job(stand))["TrainingJobArn"]
    assert sagemaker.describe_training_job(TrainingJobName="ftjob-01")["SecondaryStatus"] == "Starting"
    stand.pass_time(0.6)
    stand.pass_time(0.6)
    assert sagemaker.describe_training_job(TrainingJobName="ftjob-01")["SecondaryStatus"] == "Training"
    stand.pass_time(10)
    seen = ended(sagemaker)
    assert seen["TrainingJobStatus"] == "Completed"
    assert seen["OutputModelPackageArn"] == f"{GROUP.replace('-group', '')}/1"
    assert seen["BillableTokenCount"] > 0
    states = [transition["Status"] for transition in seen["SecondaryStatusTransitions"]]
    assert states == ["Starting", "Downloading", "Training", "Completed"]
    package = sagemaker.describe_model_package(ModelPackageName=seen["OutputModelPackageArn"])
    assert package["ModelPackageVersion"] == 1
    sagemaker.delete_model_package(ModelPackageName=seen["OutputModelPackageArn"])
    gone = refusal(sagemaker.describe_model_package, ModelPackageName=seen["OutputModelPackageArn"])
    assert gone[0] == "ValidationException"
    folder = seen["ModelArtifacts"]["S3ModelArtifacts"]
    assert read_weights(stand.context.s3, f"{folder}/checkpoints/hf_merged").startswith("ft:lab-small")
    told = [json.loads(entry["Detail"]) for entry in stand.sent]
    assert [detail["TrainingJobStatus"] for detail in told] == ["InProgress"] * 3 + ["Completed"]
    assert {detail["TrainingJobArn"] for detail in told} == {arn}
    assert stand.sent[0]["DetailType"] == "SageMaker Training Job State Change"


def test_a_name_is_taken_until_its_job_is_deleted(stand: Stand, sagemaker: Any) -> None:
    sagemaker.create_training_job(**job(stand))
    assert refusal(sagemaker.create_training_job, **job(stand))[0] == "ResourceInUse"
    assert refusal(sagemaker.delete_training_job, TrainingJobName="ftjob-01")[0] == "ValidationException"
    stand.pass_time(10)
    stand.pass_time(10)
    ended(sagemaker)
    sagemaker.delete_training_job(TrainingJobName="ftjob-01")
    asked = {"TrainingJobName": "ftjob-01"}
    assert refusal(sagemaker.describe_training_job, **asked) == ("ValidationException", "Requested resource not found.")
    sagemaker.create_training_job(**job(stand))


def test_a_job_that_is_stopped_is_stopping_for_a_while(stand: Stand, sagemaker: Any) -> None:
    sagemaker.create_training_job(**job(stand))
    sagemaker.stop_training_job(TrainingJobName="ftjob-01")
    assert sagemaker.describe_training_job(TrainingJobName="ftjob-01")["TrainingJobStatus"] == "Stopping"
    assert refusal(sagemaker.stop_training_job, TrainingJobName="ftjob-01")[0] == "ValidationException"
    stand.pass_time(10)
    assert ended(sagemaker)["TrainingJobStatus"] == "Stopped"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"messages": [{"role": "tool", "content": "x"}]}, "Line 13: the role tool is none of"),
        (row(1, tool_calls=[]), "Line 13: the field tool_calls is not known"),
        (row(1, content=[{"type": "text", "text": "x"}]), "Line 13: a content is no string"),
        ({"messages": row(1)["messages"][:2]}, "the last message is not the assistant's"),
        ({}, "Line 13: 'messages'"),
    ],
)
def test_data_that_is_wrong_ends_the_job_with_the_line(
    stand: Stand, sagemaker: Any, wrong: dict[str, Any], told: str
) -> None:
    sagemaker.create_training_job(**job(stand, wrong))
    stand.pass_time(10)
    seen = ended(sagemaker)
    assert seen["TrainingJobStatus"] == "Failed"
    assert told in seen["FailureReason"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"HyperParameters": {"max_epochs": "99"}}, "does not take 99 for max_epochs"),
        ({"HyperParameters": {"max_epochs": "some"}}, "does not take some for max_epochs"),
        ({"HyperParameters": {"global_batch_size": "7"}}, "does not take 7"),
        ({"HyperParameters": {"n_epochs": "2"}}, "has no hyperparameter n_epochs"),
        ({"ModelPackageConfig": {"ModelPackageGroupArn": f"{GROUP}-2"}}, "does not exist"),
        ({"channel": "validation"}, "InputDataConfig has no channel train"),
    ],
)
def test_an_order_that_cannot_be_is_refused(stand: Stand, sagemaker: Any, changes: dict[str, Any], told: str) -> None:
    order = job(stand, **changes)
    order["InputDataConfig"][0]["ChannelName"] = changes.get("channel", "train")
    order.pop("channel", None)
    code, message = refusal(sagemaker.create_training_job, **order)
    assert (code, told in message) == ("ValidationException", True)


def test_only_serverless_sft_and_dpo_of_the_hub_s_models_run(stand: Stand, sagemaker: Any) -> None:
    config = job(stand)["ServerlessJobConfig"]
    for changed in ({"CustomizationTechnique": "RLVR"}, {"BaseModelArn": BASE.replace("06b", "999b")}):
        order = job(stand, ServerlessJobConfig={**config, **changed})
        assert refusal(sagemaker.create_training_job, **order)[0] == "ValidationException"
    taken = refusal(sagemaker.create_model_package_group, ModelPackageGroupName="stillhouse")
    assert taken == ("ValidationException", f"Model Package Group already exists: {GROUP}")
    shown = sagemaker.describe_model_package_group(ModelPackageGroupName="stillhouse")
    assert shown["ModelPackageGroupArn"] == GROUP


def test_the_hub_s_recipe_points_at_the_ranges_of_its_hyperparameters(stand: Stand, sagemaker: Any) -> None:
    asked = {"HubName": "SageMakerPublicHub", "HubContentType": "Model", "HubContentName": MODEL}
    document = json.loads(sagemaker.describe_hub_content(**asked)["HubContentDocument"])
    recipe, full, pairs, _ = document["RecipeCollection"]
    assert (recipe["CustomizationTechnique"], recipe["Peft"], "Peft" in full) == ("SFT", "LORA", False)
    assert (pairs["CustomizationTechnique"], pairs["Peft"]) == ("DPO", "LORA")
    ranges, of_pairs = (json.loads(read(stand.context.s3, one["SmtjOverrideParamsS3Uri"])) for one in (recipe, pairs))
    assert ranges["max_epochs"] == {"type": "integer", "default": 2, "min": 1, "max": 10}
    assert of_pairs.keys() - ranges.keys() == {"beta"}
    unknown = {**asked, "HubContentName": "moon"}
    assert refusal(sagemaker.describe_hub_content, **unknown)[0] == "ResourceNotFound"


COMPONENT = {"InferenceComponentName": "base", "EndpointName": "e", "VariantName": "all"}
SHARE = {"ComputeResourceRequirements": {"MinMemoryRequiredInMb": 1024}}


def serve(stand: Stand, sagemaker: Any) -> None:
    """An endpoint with a component of the untrained model."""
    source = {"S3DataType": "S3Prefix", "CompressionType": "None"}
    source["S3Uri"] = f"s3://jumpstart-cache-prod-us-east-1/models/{MODEL}/"
    container = {"Image": "vllm", "ModelDataSource": {"S3DataSource": source}}
    sagemaker.create_model(ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer=container)
    variant = {"VariantName": "all", "InstanceType": "ml.g5.xlarge", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="c", ExecutionRoleArn=ROLE, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")
    stand.pass_time(2)
    create = sagemaker.create_inference_component
    create(**COMPONENT, Specification={"ModelName": "m", **SHARE}, RuntimeConfig={"CopyCount": 1})


def test_an_endpoint_is_made_step_by_step_and_what_something_stands_on_stays(stand: Stand, sagemaker: Any) -> None:
    assert refusal(sagemaker.create_endpoint, EndpointName="e", EndpointConfigName="c") == (
        "ValidationException",
        'Could not find endpoint configuration "c".',
    )
    serve(stand, sagemaker)
    adapter = {"BaseInferenceComponentName": "base", "Container": {"ArtifactUrl": f"s3://{BUCKET}/weights/"}}
    on_base = {"InferenceComponentName": "adapter", "EndpointName": "e", "Specification": adapter}
    assert "not in service" in refusal(sagemaker.create_inference_component, **on_base)[1]
    stand.pass_time(2)
    sagemaker.create_inference_component(**on_base)
    assert "already existing" in refusal(sagemaker.create_inference_component, **on_base)[1]
    stand.pass_time(2)
    failed = sagemaker.describe_inference_component(InferenceComponentName="adapter")
    assert (failed["InferenceComponentStatus"], "cannot be read" in failed["FailureReason"]) == ("Failed", True)
    assert "adapter is on it" in refusal(sagemaker.delete_inference_component, InferenceComponentName="base")[1]
    assert "is on it" in refusal(sagemaker.delete_endpoint, EndpointName="e")[1]
    for name in ("adapter", "base"):
        sagemaker.delete_inference_component(InferenceComponentName=name)
        stand.pass_time(1)
    sagemaker.delete_endpoint(EndpointName="e")
    assert refusal(sagemaker.describe_endpoint, EndpointName="e")[1].startswith("Could not find endpoint")
    sagemaker.delete_endpoint_config(EndpointConfigName="c")
    sagemaker.delete_model(ModelName="m")
    assert refusal(sagemaker.describe_model, ModelName="m")[0] == "ValidationException"


def test_an_endpoint_in_progress_is_not_deleted_and_an_odd_order_is_refused(stand: Stand, sagemaker: Any) -> None:
    serve(stand, sagemaker)
    refused = refusal(sagemaker.delete_inference_component, InferenceComponentName="base")
    assert refused == ("ValidationException", "Cannot delete the in-progress inference component base.")
    stand.pass_time(2)
    wrong = {**COMPONENT, "InferenceComponentName": "second"}
    missing = refusal(sagemaker.create_inference_component, **wrong, Specification={"ModelName": "m"})[1]
    assert "needs ComputeResourceRequirements" in missing
    assert "needs ExecutionRoleArn" in refusal(sagemaker.create_model, ModelName="n")[1]
    variant = {"VariantName": "all", "InstanceType": "ml.g5.xlarge", "InitialInstanceCount": 1}
    config = {"EndpointConfigName": "d", "ProductionVariants": [variant]}
    assert "needs ExecutionRoleArn" in refusal(sagemaker.create_endpoint_config, **config)[1]


def test_a_component_answers_under_its_path_with_a_token_and_is_refused_without(stand: Stand, sagemaker: Any) -> None:
    stand.order("bases", {MODEL: "lab-small"})
    serve(stand, sagemaker)
    url = f"{stand.url}/sagemaker-runtime/endpoints/e/inference-components/base/openai/v1/chat/completions"
    body = {"model": "", "messages": [{"role": "user", "content": "Answer with one word."}]}

    def ask(key: str = BearerToken("us-east-1").text(), path: str = url) -> httpx2.Response:
        return httpx2.post(path, json=body, headers={"authorization": f"Bearer {key}"}, trust_env=False)

    early = ask()
    assert (early.status_code, "is not in service" in early.json()["error"]["message"]) == (400, True)
    stand.pass_time(2)
    answer = ask()
    assert (answer.status_code, answer.json()["model"]) == (200, "/opt/ml/model")
    assert answer.json()["choices"][0]["message"]["content"]
    assert ask("sagemaker-api-key-????").status_code == 403
    assert ask("other").status_code == 403
    assert ask(path=url.removesuffix("s")).status_code == 404
    assert ask(path=url.replace("/e/", "/other/")).status_code == 400
