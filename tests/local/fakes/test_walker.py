"""The walker names what botocore lets through: each violation is planted into a call or an answer that is right."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import boto3
import botocore.validate
import pytest
from botocore.stub import Stubber

from local.fakes.walker import (
    ModelBroken,
    hold,
    matches,
    operation_model,
    request_violations,
    response_violations,
    service_model,
)

ROLE = "arn:aws:iam::123456789012:role/Stillhouse"
JOB_ARN = "arn:aws:bedrock:us-east-1:123456789012:model-customization-job/amazon.nova-micro-v1:0:128k/abcdefghij12"
# Every operation that Stillhouse calls at the four services, by service.
CALLED = {
    "bedrock": [
        "CreateModelCustomizationJob",
        "GetModelCustomizationJob",
        "ListModelCustomizationJobs",
        "StopModelCustomizationJob",
        "GetCustomModel",
        "DeleteCustomModel",
        "CreateCustomModelDeployment",
        "GetCustomModelDeployment",
        "UpdateCustomModelDeployment",
        "DeleteCustomModelDeployment",
        "ListCustomModelDeployments",
        "CreateModelImportJob",
        "GetModelImportJob",
        "GetImportedModel",
        "DeleteImportedModel",
    ],
    "bedrock-runtime": ["Converse", "InvokeModel"],
    "application-autoscaling": ["RegisterScalableTarget", "PutScalingPolicy", "DeregisterScalableTarget"],
    "sagemaker": [
        "CreateModelPackageGroup",
        "CreateTrainingJob",
        "DescribeTrainingJob",
        "StopTrainingJob",
        "DeleteTrainingJob",
        "DescribeHubContent",
        "CreateModel",
        "CreateEndpointConfig",
        "CreateEndpoint",
        "CreateInferenceComponent",
        "DescribeEndpoint",
        "DescribeInferenceComponent",
        "DeleteEndpoint",
        "DeleteInferenceComponent",
    ],
    "sagemaker-runtime": ["InvokeEndpoint"],
}


def job(**changes: Any) -> dict[str, Any]:
    """A request for a customization job that AWS takes."""
    return {
        "jobName": "ftjob-01jd",
        "customModelName": "quick-reply",
        "roleArn": ROLE,
        "clientRequestToken": "ftjob-01jd",
        "baseModelIdentifier": "amazon.nova-micro-v1:0:128k",
        "customizationType": "FINE_TUNING",
        "trainingDataConfig": {"s3Uri": "s3://bucket/datasets/ds-1/train.jsonl"},
        "outputDataConfig": {"s3Uri": "s3://bucket/datasets/ds-1/bedrock"},
        "hyperParameters": {"epochCount": "2"},
        **changes,
    }


def state(**changes: Any) -> dict[str, Any]:
    """An answer about a job that AWS could give."""
    return {
        "jobArn": JOB_ARN,
        "jobName": "ftjob-01jd",
        "outputModelName": "quick-reply",
        "roleArn": ROLE,
        "status": "InProgress",
        "creationTime": datetime(2026, 11, 28, tzinfo=UTC),
        "baseModelArn": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-micro-v1:0:128k",
        "hyperParameters": {},
        "trainingDataConfig": {"s3Uri": "s3://bucket/datasets/ds-1/train.jsonl"},
        "validationDataConfig": {"validators": [{"s3Uri": "s3://bucket/datasets/ds-1/validation.jsonl"}]},
        "outputDataConfig": {"s3Uri": "s3://bucket/datasets/ds-1/bedrock"},
        **changes,
    }


def test_a_request_and_an_answer_that_are_right_have_no_violation() -> None:
    assert request_violations("bedrock", "CreateModelCustomizationJob", job()) == []
    assert response_violations("bedrock", "GetModelCustomizationJob", state()) == []


@pytest.mark.parametrize(
    ("planted", "path", "rule"),
    [
        ({"jobName": "j" * 64}, "jobName", "max"),
        ({"jobName": ""}, "jobName", "min"),
        ({"jobName": "ftjob_01jd"}, "jobName", "pattern"),
        ({"jobName": "ftjob-01jd\n"}, "jobName", "pattern"),
        ({"clientRequestToken": "int_01JD"}, "clientRequestToken", "pattern"),
        ({"clientRequestToken": "j-"}, "clientRequestToken", "pattern"),
        ({"customizationType": "SFT"}, "customizationType", "enum"),
        ({"trainingDataConfig": {"s3Uri": "s3://bucket/date=2026/t.jsonl"}}, "trainingDataConfig.s3Uri", "pattern"),
        ({"trainingDataConfig": {"s3Uri": "s3://bucket/a:b+c.jsonl"}}, "trainingDataConfig.s3Uri", "pattern"),
        ({"roleArn": None}, "roleArn", "required"),
        ({"roleArn": 7}, "roleArn", "type"),
        ({"seed": 7}, "seed", "unknown"),
        ({"outputDataConfig": {}}, "outputDataConfig.s3Uri", "required"),
        ({"outputDataConfig": {"s3Uri": "s3://bucket/x", "kms": "k"}}, "outputDataConfig.kms", "unknown"),
        ({"jobTags": [{"key": "a" * 129, "value": "b"}]}, "jobTags[0].key", "max"),
        ({"jobTags": [{"key": "a", "value": "b"}] * 201}, "jobTags", "max"),
        ({"hyperParameters": {"epochCount": 2}}, "hyperParameters['epochCount']", "type"),
        ({"trainingDataConfig": []}, "trainingDataConfig", "type"),
    ],
)
def test_what_is_planted_into_a_request_is_named(planted: dict[str, Any], path: str, rule: str) -> None:
    found = request_violations("bedrock", "CreateModelCustomizationJob", job(**planted))
    assert {violation.path for violation in found} == {path}
    assert rule in {violation.rule for violation in found}


@pytest.mark.parametrize(
    ("planted", "path", "rule"),
    [
        ({"status": "Training"}, "status", "enum"),
        ({"jobArn": JOB_ARN.replace("abcdefghij12", "ftjob-01jd")}, "jobArn", "pattern"),
        ({"jobArn": None}, "jobArn", "required"),
        ({"BodyEcho": "{}"}, "BodyEcho", "unknown"),
        ({"creationTime": True}, "creationTime", "type"),
        ({"trainingMetrics": {"trainingLoss": "0.3"}}, "trainingMetrics.trainingLoss", "type"),
        ({"statusDetails": {"trainingDetails": {"status": "Late"}}}, "statusDetails.trainingDetails.status", "enum"),
    ],
)
def test_what_is_planted_into_an_answer_is_named(planted: dict[str, Any], path: str, rule: str) -> None:
    found = response_violations("bedrock", "GetModelCustomizationJob", state(**planted))
    assert [(violation.path, violation.rule) for violation in found] == [(path, rule)]


def test_all_violations_of_a_document_are_named_each_with_its_member() -> None:
    planted = job(jobName="j" * 64, customizationType="SFT", seed=7)
    found = request_violations("bedrock", "CreateModelCustomizationJob", planted)
    assert {str(violation) for violation in found} >= {
        "jobName: has 64 characters, and at most 63 are allowed",
        "seed: is no member of CreateModelCustomizationJobRequest",
    }
    assert len(found) == 3


def test_botocore_itself_lets_through_what_the_walker_names() -> None:
    planted = job(jobName="j" * 64, customizationType="SFT", clientRequestToken="int_01JD")
    shape = operation_model("bedrock", "CreateModelCustomizationJob").input_shape
    assert not botocore.validate.ParamValidator().validate(planted, shape).has_errors()
    assert len(request_violations("bedrock", "CreateModelCustomizationJob", planted)) == 3


def test_a_union_has_exactly_one_member() -> None:
    def converse(block: dict[str, Any]) -> list[str]:
        call = {"modelId": "amazon.nova-micro-v1:0", "messages": [{"role": "user", "content": [block]}]}
        return [violation.rule for violation in request_violations("bedrock-runtime", "Converse", call)]

    assert converse({"text": "Good morning"}) == []
    assert converse({}) == ["union"]
    use = {"toolUseId": "1", "name": "look", "input": {"any": [1, None, {"thing": True}]}}
    assert converse({"toolUse": use}) == []
    assert converse({"text": "Good morning", "toolUse": use}) == ["union"]


def test_numbers_have_their_range_and_are_no_booleans() -> None:
    def rules(temperature: Any) -> list[str]:
        call = {"modelId": "amazon.nova-micro-v1:0", "inferenceConfig": {"temperature": temperature}}
        return [violation.rule for violation in request_violations("bedrock-runtime", "Converse", call)]

    assert rules(0) == rules(1.0) == []
    assert rules(1.5) == ["max"]
    assert rules(-0.1) == ["min"]
    assert rules(True) == rules("1") == ["type"]


def test_a_body_is_bytes_text_or_a_file() -> None:
    for body in (b"{}", "{}", io.BytesIO(b"{}")):
        assert request_violations("bedrock-runtime", "InvokeModel", {"modelId": "amazon.x-y", "body": body}) == []
    [wrong] = request_violations("bedrock-runtime", "InvokeModel", {"modelId": "amazon.x-y", "body": {}})
    assert (wrong.path, wrong.rule) == ("body", "type")


def test_an_operation_without_an_answer_gives_nothing() -> None:
    assert response_violations("sagemaker", "DeleteEndpoint", {"ResponseMetadata": {}}) == []
    [wrong] = response_violations("sagemaker", "DeleteEndpoint", {"EndpointName": "x"})
    assert wrong.rule == "unknown"


def test_every_pattern_of_the_operations_that_are_called_can_be_read() -> None:
    for service, operations in CALLED.items():
        for operation in operations:
            model = operation_model(service, operation)
            for shape in (model.input_shape, model.output_shape):
                for pattern in _patterns(shape, set()) if shape else ():
                    matches(pattern, "x")


def _patterns(shape: Any, seen: set[str]) -> list[str]:
    if shape.name in seen:
        return []
    seen.add(shape.name)
    inner = [*getattr(shape, "members", {}).values()] if shape.type_name == "structure" else []
    inner += [
        getattr(shape, name)
        for name in ("member", "key", "value")
        if shape.type_name in {"list", "map"} and hasattr(shape, name)
    ]
    own = [shape.metadata["pattern"]] if "pattern" in shape.metadata else []
    return own + [pattern for part in inner for pattern in _patterns(part, seen)]


def test_patterns_with_classes_of_java_hold_as_there() -> None:
    tag = service_model("sagemaker").shape_for("TagValue").metadata["pattern"]
    assert matches(tag, "Straße 7")
    assert not matches(tag, "a#b")
    header = service_model("sagemaker-runtime").shape_for("CustomAttributesHeader").metadata["pattern"]
    assert matches(header, "plain")
    assert not matches(header, "ü")
    policy = service_model("application-autoscaling").shape_for("ResourceIdMaxLen1600").metadata["pattern"]
    assert matches(policy, "inference-component/😀")
    assert not matches(policy, "\x00")


def test_a_pattern_that_cannot_be_read_is_no_pattern_that_holds() -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        matches(r"(?<x>\p{Unheard})", "x")


# ------------------------------------------------------------------ a client that is held


def held(service: str) -> Any:
    client = boto3.client(service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    hold(client)
    return client


def made(service: str, operation: str, answer: dict[str, Any]) -> Any:
    """A held client whose next call of the operation gets the answer; the stub itself checks types only."""
    client = held(service)
    stub = Stubber(client)
    stub.add_response(operation, answer)
    stub.activate()
    return client


def test_a_held_client_sends_no_request_that_aws_would_refuse() -> None:
    client = made("bedrock", "create_model_customization_job", {"jobArn": JOB_ARN})
    with pytest.raises(ModelBroken, match=r"CreateModelCustomizationJob, request: clientRequestToken: is 'int_01JD'"):
        client.create_model_customization_job(**job(clientRequestToken="int_01JD"))
    assert client.create_model_customization_job(**job())["jobArn"] == JOB_ARN


def test_a_held_client_takes_no_answer_that_aws_would_not_give() -> None:
    client = made("bedrock", "get_model_customization_job", state(status="Training"))
    with pytest.raises(ModelBroken, match=r"GetModelCustomizationJob, answer: status: is 'Training'"):
        client.get_model_customization_job(jobIdentifier=JOB_ARN)


def test_an_error_of_aws_is_no_answer_of_the_operation() -> None:
    client = held("sagemaker")
    stub = Stubber(client)
    stub.add_client_error("describe_training_job", "ValidationException", "Requested resource not found.")
    with stub, pytest.raises(client.exceptions.ClientError, match="Requested resource not found"):
        client.describe_training_job(TrainingJobName="quick-reply")
