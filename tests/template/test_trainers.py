"""What the stack gives to AWS's trainers, and to those who call them: by parameter, and no more than is called."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.template.loading import SERVICES, listed, resources, template

POLICIES = {name: policy["PolicyDocument"]["Statement"] for name, policy in resources("IAM::Policy").items()}
ROLE = resources("IAM::Role")["TrainingRole"]
TRAINERS = {"Bedrock": ["bedrock"], "SageMaker": ["sagemaker", "recipe", "serving"]}
"""The modules of each trainer, by the name of its parameter."""
TRAINING = pytest.mark.parametrize("name", TRAINERS)
CONDITIONS = {
    "SageMakerSharedPolicy": "HasSharedEndpoints",
    "SageMakerScalingPolicy": "ScalesToZero",
    "SageMakerImportPolicy": "ImportsToBedrock",
}
"""Of what is there only beside another parameter."""
OF_NO_RESOURCE = {"sagemaker:CallWithBearerToken", "ecr:GetAuthorizationToken", "bedrock:CreateModelImportJob"}
"""What AWS restricts to no resource."""


def actions(statements: list[dict[str, Any]]) -> set[str]:
    return {action for statement in statements for action in listed(statement["Action"])}


def calls_of(modules: list[str]) -> set[str]:
    """The calls of AWS that modules of the trainers make, as actions in small letters."""
    folder = SERVICES / "tuning" / "trainers"
    text = "".join((folder / f"{module}.py").read_text(encoding="utf-8") for module in modules)
    found = re.findall(r"aws\.(\w+)\(\)\.(\w+)", text)
    return {f"{service.replace('_', '-')}:{call.replace('_', '')}" for service, call in found}


def test_without_the_parameters_there_is_nothing_of_them() -> None:
    made = template()["Resources"]
    for name in TRAINERS:
        own = {key: resource for key, resource in made.items() if key.startswith(name)}
        assert len(own) >= 3
        for key, resource in own.items():
            assert resource["Condition"] == CONDITIONS.get(key, f"Has{name}Training")
        assert template()["Parameters"][f"{name}Training"]["Default"] == "false"
    assert made["TrainingRole"]["Condition"] == "HasAwsTraining"
    assert template()["Parameters"]["SageMakerScaleToZero"]["Default"] == "false"


@TRAINING
def test_tuning_may_make_exactly_the_calls_that_the_trainer_makes(name: str) -> None:
    called = calls_of(TRAINERS[name])
    allowed = actions(POLICIES[f"{name}TrainingPolicy"]) - {"iam:PassRole"}
    assert {action.lower() for action in allowed} == called
    roles = resources("IAM::Policy")[f"{name}TrainingPolicy"]["Roles"]
    assert roles == [{"Ref": "TuningFunctionRole"}, {"Ref": "TuningWatchFunctionRole"}]


def test_scaling_to_zero_may_do_what_it_calls_and_what_application_auto_scaling_does_for_it() -> None:
    undone = actions(POLICIES["SageMakerScaledPolicy"])
    assert undone == {"application-autoscaling:DeregisterScalableTarget", "cloudwatch:DeleteAlarms"}
    allowed = {action.lower() for action in actions(POLICIES["SageMakerScalingPolicy"]) | undone}
    assert allowed - calls_of(["idle"]) == {
        "sagemaker:updateinferencecomponentruntimeconfig",
        "cloudwatch:describealarms",
        "iam:createservicelinkedrole",
    }
    assert calls_of(["idle"]) < allowed
    for policy, action in (("Scaling", "cloudwatch:PutMetricAlarm"), ("Scaled", "cloudwatch:DeleteAlarms")):
        [alarms] = [rule for rule in POLICIES[f"SageMaker{policy}Policy"] if rule["Action"] == action]
        assert [arn["Sub"].rpartition(":")[2] for arn in alarms["Resource"]] == ["ftjob-*", "TargetTracking-*"]


def test_an_import_may_do_what_it_calls_and_what_is_imported_may_be_asked() -> None:
    beginning = {"bedrock:CreateModelImportJob", "iam:PassRole"}
    assert actions(POLICIES["SageMakerImportPolicy"]) == beginning
    for_good = {action.lower() for action in actions(POLICIES["SageMakerImportedPolicy"])}
    assert for_good == calls_of(["imported"]) - {"bedrock:createmodelimportjob"}
    [passed] = [rule for rule in POLICIES["SageMakerImportPolicy"] if rule["Action"] == "iam:PassRole"]
    assert passed["Condition"] == {"StringEquals": {"iam:PassedToService": "bedrock.amazonaws.com"}}
    [asked] = POLICIES["SageMakerImportedAskingPolicy"]
    assert asked["Resource"]["Sub"].endswith(":imported-model/*")
    asking = resources("IAM::Policy")
    assert asking["SageMakerImportedAskingPolicy"]["Roles"] == asking["SageMakerAskingPolicy"]["Roles"]
    assert template()["Parameters"]["SageMakerImport"]["Default"] == "false"


@TRAINING
def test_only_the_role_of_the_jobs_is_passed_and_only_to_who_trains(name: str) -> None:
    [passed] = [rule for rule in POLICIES[f"{name}TrainingPolicy"] if rule["Action"] == "iam:PassRole"]
    assert passed["Resource"] == {"GetAtt": "TrainingRole.Arn"}
    services = listed(passed["Condition"]["StringEquals"]["iam:PassedToService"])
    assert services == [f"{name.lower()}.amazonaws.com"]
    [trusted] = ROLE["AssumeRolePolicyDocument"]["Statement"]
    assert set(services) <= set(trusted["Principal"]["Service"])


def test_the_role_is_taken_for_jobs_of_this_account_alone() -> None:
    [trusted] = ROLE["AssumeRolePolicyDocument"]["Statement"]
    assert trusted["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    account = "${AWS::Region}:${AWS::AccountId}"
    assert [source["Sub"] for source in trusted["Condition"]["ArnLike"]["aws:SourceArn"]] == [
        f"arn:${{AWS::Partition}}:bedrock:{account}:model-customization-job/*",
        f"arn:${{AWS::Partition}}:bedrock:{account}:model-import-job/*",
        f"arn:${{AWS::Partition}}:sagemaker:{account}:*",
    ]


def test_a_job_reads_its_files_and_writes_beside_them() -> None:
    rules = ROLE["Policies"][0]["PolicyDocument"]["Statement"]
    by_action = {rule["Action"]: rule for rule in rules}
    assert by_action["s3:GetObject"]["Resource"] == {"Sub": "${Bucket.Arn}/tuning/*"}
    assert by_action["s3:PutObject"]["Resource"] == {"Sub": "${Bucket.Arn}/tuning/*/output/*"}
    assert by_action["s3:ListBucket"]["Condition"] == {"StringLike": {"s3:prefix": "tuning/*"}}


def test_no_policy_of_a_trainer_is_for_everything() -> None:
    for statements in POLICIES.values():
        for rule in statements:
            assert rule["Effect"] == "Allow"
            assert "*" not in listed(rule["Resource"]) or set(listed(rule["Action"])) <= OF_NO_RESOURCE
            assert all("*" not in action for action in listed(rule["Action"]))


@TRAINING
def test_who_asks_models_may_ask_the_trained_ones(name: str) -> None:
    asking = resources("IAM::Policy")[f"{name}AskingPolicy"]
    roles = {role["Ref"].removesuffix("FunctionRole") for role in asking["Roles"]}
    assert roles == {"Gateway", "Api", "Plan", "Grade", "Tuning", "TuningWatch"}
    rule = POLICIES[f"{name}AskingPolicy"][0]
    asked = [each["Sub"].rpartition(":")[2] for each in rule["Resource"]]
    assert (rule["Action"], asked) == {
        "Bedrock": ("bedrock:InvokeModel", ["foundation-model/amazon.nova-*", "custom-model-deployment/*"]),
        "SageMaker": ("sagemaker:InvokeEndpoint", ["endpoint/ftjob-*", "inference-component/ftjob-*"]),
    }[name]


@pytest.mark.parametrize(
    ("name", "source", "kind", "field"),
    [
        ("Bedrock", "aws.bedrock", "Model Customization Job State Change", "jobName"),
        ("SageMaker", "aws.sagemaker", "SageMaker Training Job State Change", "TrainingJobName"),
    ],
)
def test_the_end_of_a_job_wakes_the_watcher_beside_its_clock(name: str, source: str, kind: str, field: str) -> None:
    rule = resources("Events::Rule")[f"{name}JobRule"]
    assert rule["EventPattern"] == {
        "source": [source],
        "detail-type": [kind],
        "detail": {field: [{"prefix": "ftjob-"}]},
    }
    assert rule["Targets"] == [{"Id": "watch", "Arn": {"GetAtt": "TuningWatchFunction.Arn"}}]
    permission = resources("Lambda::Permission")[f"{name}JobPermission"]
    assert permission["SourceArn"] == {"GetAtt": f"{name}JobRule.Arn"}
