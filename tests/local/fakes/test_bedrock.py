"""Bedrock's fake as boto3's clients see it; each client is held to AWS's model both ways."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.fakes import BUCKET, Stand

ROLE = "arn:aws:iam::123456789012:role/Stillhouse"
NOVA = "amazon.nova-micro-v1:0:128k"
LABELS = {"refund": "I want my money back", "delivery": "Where is my parcel"}


def line(prompt: str, answer: str, **extra: Any) -> dict[str, Any]:
    return {
        "schemaVersion": "bedrock-conversation-2024",
        "system": [{"text": "Sort this mail. Answer with one of: refund, delivery."}],
        "messages": [
            {"role": "user", "content": [{"text": prompt}]},
            {"role": "assistant", "content": [{"text": answer}]},
        ],
        **extra,
    }


def lines(*more: dict[str, Any]) -> bytes:
    rows = [line(f"{prompt}, letter {number}", label) for number in range(10) for label, prompt in LABELS.items()]
    return "\n".join(json.dumps(row) for row in [*rows, *more]).encode()


def job(stand: Stand, name: str = "ftjob-01", **changes: Any) -> dict[str, Any]:
    return {
        "jobName": name,
        "customModelName": name,
        "roleArn": ROLE,
        "clientRequestToken": name,
        "baseModelIdentifier": NOVA,
        "customizationType": "FINE_TUNING",
        "trainingDataConfig": {"s3Uri": stand.put("train.jsonl", lines())},
        "outputDataConfig": {"s3Uri": f"s3://{BUCKET}/out"},
        **changes,
    }


def trained(stand: Stand, name: str = "ftjob-01") -> str:
    """A job that has ended; the ARN of its model."""
    bedrock = stand.client("bedrock")
    arn = bedrock.create_model_customization_job(**job(stand, name))["jobArn"]
    stand.pass_time(10)
    ended = wait(lambda: bedrock.get_model_customization_job(jobIdentifier=arn), "Completed")
    model: str = ended["outputModelArn"]
    return model


def wait(look: Callable[[], dict[str, Any]], status: str) -> dict[str, Any]:
    """The lab trains in a thread of its own, for a second or so."""
    for _ in range(400):
        seen = look()
        if seen["status"] == status:
            return seen
        time.sleep(0.02)
    raise AssertionError(seen)


def refusal(call: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_job_goes_through_its_stages_to_a_model_that_answers_where_it_is_deployed(stand: Stand) -> None:
    bedrock, runtime = stand.client("bedrock"), stand.client("bedrock-runtime")
    arn = bedrock.create_model_customization_job(**job(stand))["jobArn"]
    seen = bedrock.get_model_customization_job(jobIdentifier=arn)
    assert seen["status"] == "InProgress"
    assert seen["statusDetails"]["validationDetails"]["status"] == "InProgress"
    assert seen["statusDetails"]["trainingDetails"]["status"] == "NotStarted"
    stand.pass_time(1.2)
    seen = bedrock.get_model_customization_job(jobIdentifier="ftjob-01")
    assert seen["statusDetails"]["dataProcessingDetails"]["status"] == "Completed"
    assert seen["statusDetails"]["trainingDetails"]["status"] == "InProgress"
    stand.pass_time(10)
    ended = wait(lambda: bedrock.get_model_customization_job(jobIdentifier=arn), "Completed")
    assert ended["hyperParameters"] == {
        "epochCount": "2",
        "learningRate": "1.00E-5",
        "learningRateWarmupSteps": "10",
    }
    assert 0 <= ended["trainingMetrics"]["trainingLoss"] <= 1
    model = ended["outputModelArn"]
    assert bedrock.get_custom_model(modelIdentifier=model)["modelStatus"] == "Active"
    made = bedrock.create_custom_model_deployment(
        modelDeploymentName="reply", modelArn=model, clientRequestToken="reply"
    )
    deployment = made["customModelDeploymentArn"]
    question = {
        "modelId": deployment,
        "system": [{"text": "Sort this mail. Answer with one of: refund, delivery."}],
        "messages": [{"role": "user", "content": [{"text": "Where is my parcel, letter 77"}]}],
    }
    code, message = refusal(runtime.converse, **question)
    assert (code, "Creating" in message) == ("ValidationException", True)
    stand.pass_time(5)
    shown = bedrock.get_custom_model_deployment(customModelDeploymentIdentifier=deployment)
    assert shown["status"] == "Active"
    answer = runtime.converse(**question)
    assert answer["output"]["message"]["content"] == [{"text": "delivery"}]
    assert answer["stopReason"] == "end_turn"
    assert answer["usage"]["totalTokens"] == answer["usage"]["inputTokens"] + answer["usage"]["outputTokens"]
    assert b"training_loss" in _written(stand, "out/model-customization-job-" + arn.rpartition("/")[2])


def _written(stand: Stand, folder: str) -> bytes:
    key = f"{folder}/training_artifacts/step_wise_training_metrics.csv"
    body: bytes = stand.context.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return body


def test_the_same_token_gets_the_first_answer_and_with_other_parameters_a_conflict(stand: Stand) -> None:
    create = stand.client("bedrock").create_model_customization_job
    first = create(**job(stand))["jobArn"]
    assert create(**job(stand))["jobArn"] == first
    assert refusal(create, **job(stand, hyperParameters={"epochCount": "3"}))[0] == "ConflictException"
    other = {"clientRequestToken": "another"}
    assert refusal(create, **job(stand, **other)) == ("ConflictException", "The job name ftjob-01 is taken.")
    code, message = refusal(create, **job(stand, jobName="ftjob-02", **other))
    assert (code, message) == ("ConflictException", "The custom model name ftjob-01 is taken.")


def test_a_request_that_breaks_the_model_is_a_validation_exception(stand: Stand) -> None:
    loose = stand.client("bedrock", held=False)
    code, message = refusal(loose.create_model_customization_job, **job(stand, clientRequestToken="int_01"))
    assert code == "ValidationException"
    assert "1 validation error detected: Value at 'clientRequestToken'" in message
    code, message = refusal(loose.create_model_customization_job, **job(stand, customizationType="SFT"))
    assert (code, "customizationType" in message) == ("ValidationException", True)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"epochCount": "6"}, "epochCount must be from 1 to 5"),
        ({"epochCount": "two"}, "epochCount must be from 1 to 5"),
        ({"learningRate": "0.1"}, "learningRate must be from 1e-06 to 0.0001"),
        ({"batchSize": "8"}, "The hyperparameter batchSize is not supported"),
    ],
)
def test_hyperparameters_have_their_names_and_ranges(stand: Stand, given: dict[str, str], told: str) -> None:
    create = stand.client("bedrock").create_model_customization_job
    code, message = refusal(create, **job(stand, hyperParameters=given))
    assert (code, told in message) == ("ValidationException", True)


def test_a_base_that_is_not_trained_and_a_file_that_is_not_there_are_refused(stand: Stand) -> None:
    create = stand.client("bedrock").create_model_customization_job
    assert "cannot be customized" in refusal(create, **job(stand, baseModelIdentifier="amazon.nova-micro-v1:0"))[1]
    missing = {"s3Uri": f"s3://{BUCKET}/none.jsonl"}
    code, message = refusal(create, **job(stand, trainingDataConfig=missing))
    assert (code, "none.jsonl cannot be read" in message) == ("ValidationException", True)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (line("System: go", "no"), "Line 21: the prompt has the reserved keyword System:"),
        ({**line("a", "b"), "tools": []}, "Line 21: the field tools is not known"),
        ({**line("a", "b"), "messages": line("a", "b")["messages"][:1]}, "the last turn is not the assistant's"),
        ({**line("a", "b"), "messages": line("a", "b")["messages"][::-1]}, "turn 0 is the assistant's"),
        (line("a", ""), "a text is empty"),
        ({"messages": []}, "Line 21: 'schemaVersion'"),
    ],
)
def test_data_that_is_wrong_ends_the_job_after_its_validation_with_the_line(
    stand: Stand, wrong: dict[str, Any], told: str
) -> None:
    bedrock = stand.client("bedrock")
    uri = stand.put("wrong.jsonl", lines(wrong))
    arn = bedrock.create_model_customization_job(**job(stand, trainingDataConfig={"s3Uri": uri}))["jobArn"]
    assert bedrock.get_model_customization_job(jobIdentifier=arn)["status"] == "InProgress"
    stand.pass_time(1)
    ended = bedrock.get_model_customization_job(jobIdentifier=arn)
    assert ended["status"] == "Failed"
    assert told in ended["failureMessage"]


def test_a_job_that_is_stopped_is_stopping_for_a_while(stand: Stand) -> None:
    bedrock = stand.client("bedrock")
    arn = bedrock.create_model_customization_job(**job(stand))["jobArn"]
    bedrock.stop_model_customization_job(jobIdentifier=arn)
    assert bedrock.get_model_customization_job(jobIdentifier=arn)["status"] == "Stopping"
    stand.pass_time(10)
    assert bedrock.get_model_customization_job(jobIdentifier=arn)["status"] == "Stopped"
    assert refusal(bedrock.stop_model_customization_job, jobIdentifier=arn)[0] == "ConflictException"
    [listed] = bedrock.list_model_customization_jobs(nameContains="01", statusEquals="Stopped")[
        "modelCustomizationJobSummaries"
    ]
    assert listed["jobArn"] == arn
    assert not bedrock.list_model_customization_jobs(nameContains="02")["modelCustomizationJobSummaries"]


def test_another_model_goes_behind_a_live_deployment_and_what_is_deployed_is_not_deleted(stand: Stand) -> None:
    bedrock = stand.client("bedrock")
    first, second = trained(stand, "ftjob-01"), trained(stand, "ftjob-02")
    asked = {"modelDeploymentName": "reply", "modelArn": first, "clientRequestToken": "reply"}
    arn = bedrock.create_custom_model_deployment(**asked)["customModelDeploymentArn"]
    assert bedrock.create_custom_model_deployment(**asked)["customModelDeploymentArn"] == arn
    taken = {**asked, "clientRequestToken": "again"}
    assert refusal(bedrock.create_custom_model_deployment, **taken)[0] == "ValidationException"
    deployment = {"customModelDeploymentIdentifier": arn}
    assert refusal(bedrock.delete_custom_model_deployment, **deployment)[0] == "ConflictException"
    stand.pass_time(5)
    bedrock.update_custom_model_deployment(**deployment, modelArn=second)
    seen = bedrock.get_custom_model_deployment(**deployment)
    assert seen["updateDetails"] == {"modelArn": second, "updateStatus": "Updating"}
    assert seen["modelArn"] == first
    for model in (first, second):
        assert refusal(bedrock.delete_custom_model, modelIdentifier=model)[0] == "ConflictException"
    stand.pass_time(5)
    seen = bedrock.get_custom_model_deployment(customModelDeploymentIdentifier="reply")
    assert (seen["modelArn"], seen["updateDetails"]["updateStatus"]) == (second, "UpdateCompleted")
    [listed] = bedrock.list_custom_model_deployments(modelArnEquals=second)["modelDeploymentSummaries"]
    assert listed["customModelDeploymentArn"] == arn
    bedrock.delete_custom_model(modelIdentifier=first)
    bedrock.delete_custom_model_deployment(**deployment)
    assert refusal(bedrock.get_custom_model_deployment, **deployment)[0] == "ResourceNotFoundException"
    question = {"modelId": arn, "messages": [{"role": "user", "content": [{"text": "Hello"}]}]}
    assert refusal(stand.client("bedrock-runtime").converse, **question)[0] == "ResourceNotFoundException"


def test_changes_of_a_job_are_told_once_twice_or_never(stand: Stand) -> None:
    bedrock = stand.client("bedrock")
    stand.order("events", {"copies": 2})
    arn = bedrock.create_model_customization_job(**job(stand))["jobArn"]
    told = [json.loads(entry["Detail"])["jobStatus"] for entry in stand.sent]
    assert told == ["InProgress", "InProgress"]
    assert stand.sent[0]["Source"] == "aws.bedrock"
    assert stand.sent[0]["DetailType"] == "Model Customization Job State Change"
    assert stand.sent[0]["Resources"] == [arn]
    stand.order("events", {"copies": 0})
    bedrock.stop_model_customization_job(jobIdentifier=arn)
    assert len(stand.sent) == 2


def test_faults_come_before_or_after_the_work(stand: Stand) -> None:
    create = stand.client("bedrock").create_model_customization_job
    operation = "CreateModelCustomizationJob"
    stand.order("faults", {"operation": operation, "code": "ThrottlingException"})
    assert refusal(create, **job(stand))[0] == "ThrottlingException"
    assert not stand.context.records.all("customization-job")
    stand.order("faults", {"operation": operation, "code": "InternalServerException", "when": "after"})
    assert refusal(create, **job(stand))[0] == "InternalServerException"
    [made] = stand.context.records.all("customization-job")
    assert create(**job(stand))["jobArn"] == made.arn


# ------------------------------------------------------------------ the runtime


def test_a_base_answers_untrained_and_an_unknown_model_is_refused(stand: Stand) -> None:
    runtime = stand.client("bedrock-runtime")
    turn = [{"role": "user", "content": [{"text": "Answer with one of: yes, no. Is it?"}]}]
    for identifier in ("amazon.nova-micro-v1:0", "us.amazon.nova-micro-v1:0"):
        assert runtime.converse(modelId=identifier, messages=turn)["stopReason"] == "end_turn"
    code, message = refusal(runtime.converse, modelId="amazon.nova-huge-v1:0", messages=turn)
    assert (code, message) == ("ValidationException", "The provided model identifier is invalid.")


def test_a_demanded_tool_is_called_and_a_schema_is_filled_by_the_model(stand: Stand) -> None:
    runtime = stand.client("bedrock-runtime")
    schema = {"type": "object", "properties": {"label": {"enum": ["refund", "delivery"]}}}
    turn = [{"role": "user", "content": [{"text": "Where is my delivery?"}]}]
    tools = [{"toolSpec": {"name": "sort", "inputSchema": {"json": schema}}}]
    asked = {"modelId": "amazon.nova-micro-v1:0", "messages": turn}
    config = {"tools": tools, "toolChoice": {"tool": {"name": "sort"}}}
    answer = runtime.converse(**asked, toolConfig=config)
    [block] = answer["output"]["message"]["content"]
    assert answer["stopReason"] == "tool_use"
    assert block["toolUse"]["name"] == "sort"
    assert block["toolUse"]["input"]["label"] in {"refund", "delivery"}
    wanted = {"type": "json_schema", "structure": {"jsonSchema": {"schema": json.dumps(schema), "name": "a"}}}
    answer = runtime.converse(**asked, outputConfig={"textFormat": wanted})
    assert json.loads(answer["output"]["message"]["content"][0]["text"])["label"] in {"refund", "delivery"}
    streamed = list(runtime.converse_stream(**asked, toolConfig=config)["stream"])
    assert [next(iter(event)) for event in streamed] == [
        "messageStart",
        "contentBlockStart",
        "contentBlockDelta",
        "contentBlockStop",
        "messageStop",
        "metadata",
    ]


def test_a_stream_says_the_same_as_a_whole_answer_and_a_limit_cuts_both(stand: Stand) -> None:
    runtime = stand.client("bedrock-runtime")
    turn = [{"role": "user", "content": [{"text": "Answer with one of: one two three four, five."}]}]
    asked = {"modelId": "amazon.nova-micro-v1:0", "messages": turn}
    whole = runtime.converse(**asked)
    text = whole["output"]["message"]["content"][0]["text"]
    events = list(runtime.converse_stream(**asked)["stream"])
    deltas = [event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event]
    assert "".join(deltas) == text
    assert events[-1]["metadata"]["usage"] == whole["usage"]
    cut = runtime.converse(**asked, inferenceConfig={"maxTokens": 1})
    assert (cut["stopReason"], cut["usage"]["outputTokens"]) == ("max_tokens", 1)
    assert text.startswith(cut["output"]["message"]["content"][0]["text"])


def test_an_imported_model_takes_a_chat_body_once_it_is_loaded(stand: Stand) -> None:
    bedrock, runtime = stand.client("bedrock"), stand.client("bedrock-runtime")
    uri = stand.put("weights/lab-model.json", json.dumps({"model": "lab-small"}).encode()).rpartition("/")[0]
    asked = {
        "jobName": "import-1",
        "importedModelName": "mine",
        "roleArn": ROLE,
        "modelDataSource": {"s3DataSource": {"s3Uri": uri}},
        "clientRequestToken": "import-1",
    }
    arn = bedrock.create_model_import_job(**asked)["jobArn"]
    assert bedrock.create_model_import_job(**asked)["jobArn"] == arn
    assert refusal(bedrock.create_model_import_job, **{**asked, "clientRequestToken": "x"})[0] == "ConflictException"
    assert bedrock.get_model_import_job(jobIdentifier=arn)["status"] == "InProgress"
    stand.pass_time(5)
    model = bedrock.get_model_import_job(jobIdentifier=arn)["importedModelArn"]
    assert bedrock.get_imported_model(modelIdentifier=model)["instructSupported"]
    stand.order("timing", {"loading": 30})
    body = json.dumps({"messages": [{"role": "user", "content": "Answer with one of: yes, no."}]})
    assert refusal(runtime.invoke_model, modelId=model, body=body)[0] == "ModelNotReadyException"
    stand.pass_time(31)
    completion = json.loads(runtime.invoke_model(modelId=model, body=body)["body"].read())
    assert (completion["object"], completion["model"]) == ("chat.completion", model)
    assert refusal(runtime.invoke_model, modelId=model, body=b"{}")[0] == "ValidationException"
    turn = [{"role": "user", "content": [{"text": "Hello"}]}]
    assert refusal(runtime.converse, modelId=model, messages=turn)[0] == "ValidationException"
    bedrock.delete_imported_model(modelIdentifier=model)
    assert refusal(bedrock.get_imported_model, modelIdentifier=model)[0] == "ResourceNotFoundException"


def test_an_import_of_an_empty_folder_fails(stand: Stand) -> None:
    bedrock = stand.client("bedrock")
    arn = bedrock.create_model_import_job(
        jobName="import-1",
        importedModelName="mine",
        roleArn=ROLE,
        modelDataSource={"s3DataSource": {"s3Uri": f"s3://{BUCKET}/nothing"}},
    )["jobArn"]
    stand.pass_time(5)
    ended = bedrock.get_model_import_job(jobIdentifier=arn)
    assert (ended["status"], "cannot be read" in ended["failureMessage"]) == ("Failed", True)
