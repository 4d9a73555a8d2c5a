"""What the stack gives to AWS's trainers, and to those who call them: by parameter, and no more than is called."""

from __future__ import annotations

import re
from typing import Any

from tests.template.loading import SERVICES, listed, resources, template

POLICIES = {name: policy["PolicyDocument"]["Statement"] for name, policy in resources("IAM::Policy").items()}
ROLE = resources("IAM::Role")["BedrockRole"]


def actions(statements: list[dict[str, Any]]) -> set[str]:
    return {action for statement in statements for action in listed(statement["Action"])}


def test_without_the_parameter_there_is_nothing_of_bedrock() -> None:
    named = {name: made for name, made in template()["Resources"].items() if name.startswith("Bedrock")}
    assert len(named) == 5
    assert {made["Condition"] for made in named.values()} == {"HasBedrockTraining"}
    assert template()["Parameters"]["BedrockTraining"]["Default"] == "false"


def test_tuning_may_make_exactly_the_calls_that_the_trainer_makes() -> None:
    text = (SERVICES / "tuning" / "trainers" / "bedrock.py").read_text(encoding="utf-8")
    called = {name.replace("_", "") for name in re.findall(r"aws\.bedrock\(\)\.(\w+)\(", text)}
    allowed = actions(POLICIES["BedrockTrainingPolicy"]) - {"iam:PassRole"}
    assert {action.removeprefix("bedrock:").lower() for action in allowed} == called
    roles = resources("IAM::Policy")["BedrockTrainingPolicy"]["Roles"]
    assert roles == [{"Ref": "TuningFunctionRole"}, {"Ref": "TuningWatchFunctionRole"}]


def test_only_the_role_of_the_jobs_is_passed_and_only_to_bedrock() -> None:
    [passed] = [rule for rule in POLICIES["BedrockTrainingPolicy"] if rule["Action"] == "iam:PassRole"]
    assert passed["Resource"] == {"GetAtt": "BedrockRole.Arn"}
    assert passed["Condition"] == {"StringEquals": {"iam:PassedToService": "bedrock.amazonaws.com"}}
    [trusted] = ROLE["AssumeRolePolicyDocument"]["Statement"]
    assert trusted["Principal"] == {"Service": "bedrock.amazonaws.com"}
    assert trusted["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    assert trusted["Condition"]["ArnLike"]["aws:SourceArn"]["Sub"].endswith(":model-customization-job/*")


def test_bedrock_reads_the_files_of_its_jobs_and_writes_beside_them() -> None:
    rules = ROLE["Policies"][0]["PolicyDocument"]["Statement"]
    by_action = {rule["Action"]: rule for rule in rules}
    assert by_action["s3:GetObject"]["Resource"] == {"Sub": "${Bucket.Arn}/tuning/*"}
    assert by_action["s3:PutObject"]["Resource"] == {"Sub": "${Bucket.Arn}/tuning/*/output/*"}
    assert by_action["s3:ListBucket"]["Condition"] == {"StringLike": {"s3:prefix": "tuning/*"}}


def test_no_policy_of_a_trainer_is_for_everything() -> None:
    for statements in POLICIES.values():
        for rule in statements:
            assert rule["Effect"] == "Allow"
            assert "*" not in listed(rule["Resource"])
            assert all("*" not in action for action in listed(rule["Action"]))


def test_who_asks_models_may_ask_the_trained_ones() -> None:
    asking = resources("IAM::Policy")["BedrockAskingPolicy"]
    names = {role["Ref"].removesuffix("FunctionRole") for role in asking["Roles"]}
    assert names == {"Gateway", "Api", "Plan", "Grade", "Tuning", "TuningWatch"}
    assert actions(POLICIES["BedrockAskingPolicy"]) == {"bedrock:InvokeModel"}
    resource = [listed(rule["Resource"]) for rule in POLICIES["BedrockAskingPolicy"]]
    assert [each["Sub"].rpartition(":")[2] for each in resource[0]] == [
        "foundation-model/amazon.nova-*",
        "custom-model-deployment/*",
    ]


def test_the_end_of_a_job_wakes_the_watcher_beside_its_clock() -> None:
    rule = resources("Events::Rule")["BedrockJobRule"]
    assert rule["EventPattern"] == {
        "source": ["aws.bedrock"],
        "detail-type": ["Model Customization Job State Change"],
        "detail": {"jobName": [{"prefix": "ftjob-"}]},
    }
    assert rule["Targets"] == [{"Id": "watch", "Arn": {"GetAtt": "TuningWatchFunction.Arn"}}]
    permission = resources("Lambda::Permission")["BedrockJobPermission"]
    assert permission["SourceArn"] == {"GetAtt": "BedrockJobRule.Arn"}
