"""The policy of who deploys suffices for this template and our commands, and allows nothing beyond.

What a type needs is what CloudFormation's published schemas list for its handlers, for the properties that the template
sets; whether AWS asks for exactly these can only be seen in an account.
"""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

from infra.operate.template import types
from tests.template.loading import ROOT, listed

POLICY = json.loads((ROOT / "infra" / "deployer-policy.json").read_text(encoding="utf-8"))
ALLOWED = {pattern for statement in POLICY["Statement"] for pattern in listed(statement["Action"])}


def of(service: str, actions: str) -> set[str]:
    return {f"{service}:{action}" for action in actions.split()}


_HTTP = of("apigateway", "POST GET PATCH PUT DELETE")
_TAGS = "TagResource UntagResource ListTagsForResource"
NEEDED = {
    "AWS::ApiGatewayV2::Api": _HTTP,
    "AWS::ApiGatewayV2::Integration": _HTTP,
    "AWS::ApiGatewayV2::Route": _HTTP,
    "AWS::ApiGatewayV2::Stage": _HTTP,
    "AWS::CloudWatch::Alarm": of("cloudwatch", f"PutMetricAlarm DescribeAlarms DeleteAlarms {_TAGS}"),
    "AWS::CloudWatch::Dashboard": of("cloudwatch", "PutDashboard GetDashboard DeleteDashboards"),
    # Encrypted under AWS's key of DynamoDB.
    "AWS::DynamoDB::Table": of(
        "dynamodb",
        "CreateTable DescribeTable UpdateTable DeleteTable UpdateTimeToLive DescribeTimeToLive UpdateContinuousBackups "
        "DescribeContinuousBackups DescribeContributorInsights DescribeKinesisStreamingDestination GetResourcePolicy "
        "TagResource UntagResource ListTagsOfResource",
    )
    | of("kms", "CreateGrant DescribeKey"),
    "AWS::EC2::VPC": of(
        "ec2", "CreateVpc DeleteVpc DescribeVpcs ModifyVpcAttribute DescribeVpcAttribute CreateTags DeleteTags"
    ),
    # The zones of Fn::GetAZs.
    "AWS::EC2::Subnet": of(
        "ec2", "CreateSubnet DeleteSubnet DescribeSubnets ModifySubnetAttribute DescribeAvailabilityZones"
    ),
    "AWS::EC2::SecurityGroup": of(
        "ec2",
        "CreateSecurityGroup DeleteSecurityGroup DescribeSecurityGroups AuthorizeSecurityGroupEgress "
        "RevokeSecurityGroupEgress DescribeNetworkInterfaces",
    ),
    "AWS::Events::Rule": of(
        "events", f"PutRule DescribeRule DeleteRule PutTargets RemoveTargets ListTargetsByRule {_TAGS}"
    ),
    "AWS::IAM::Policy": of("iam", "PutRolePolicy GetRolePolicy DeleteRolePolicy"),
    "AWS::IAM::Role": of(
        "iam",
        "CreateRole GetRole UpdateRole UpdateAssumeRolePolicy DeleteRole PutRolePolicy GetRolePolicy DeleteRolePolicy "
        "ListRolePolicies AttachRolePolicy DetachRolePolicy ListAttachedRolePolicies TagRole UntagRole",
    ),
    "AWS::Lambda::EventSourceMapping": of(
        "lambda",
        "CreateEventSourceMapping GetEventSourceMapping UpdateEventSourceMapping DeleteEventSourceMapping "
        "ListTags TagResource",
    ),
    # In a network, with a recursion setting and reserved concurrency.
    "AWS::Lambda::Function": of(
        "lambda",
        "CreateFunction GetFunction GetFunctionConfiguration UpdateFunctionCode UpdateFunctionConfiguration "
        "DeleteFunction PutFunctionConcurrency DeleteFunctionConcurrency GetFunctionConcurrency "
        "PutFunctionRecursionConfig GetFunctionRecursionConfig GetFunctionCodeSigningConfig GetRuntimeManagementConfig "
        "TagResource UntagResource ListTags",
    )
    | of("iam", "PassRole")
    | of("s3", "GetObject")
    | of("ec2", "DescribeSecurityGroups DescribeSubnets DescribeVpcs"),
    "AWS::Lambda::Permission": of("lambda", "AddPermission RemovePermission GetPolicy"),
    "AWS::Lambda::Url": of(
        "lambda", "CreateFunctionUrlConfig GetFunctionUrlConfig UpdateFunctionUrlConfig DeleteFunctionUrlConfig"
    ),
    "AWS::Logs::LogGroup": of(
        "logs",
        "CreateLogGroup DescribeLogGroups DeleteLogGroup PutRetentionPolicy DeleteRetentionPolicy "
        f"GetDataProtectionPolicy DescribeIndexPolicies {_TAGS}",
    ),
    "AWS::S3::Bucket": of(
        "s3",
        "CreateBucket DeleteBucket ListBucket PutEncryptionConfiguration GetEncryptionConfiguration "
        "PutBucketPublicAccessBlock GetBucketPublicAccessBlock PutBucketOwnershipControls GetBucketOwnershipControls "
        "PutLifecycleConfiguration GetLifecycleConfiguration PutBucketNotification GetBucketNotification "
        "PutBucketTagging GetBucketTagging GetBucketVersioning GetReplicationConfiguration",
    ),
    "AWS::S3::BucketPolicy": of("s3", "PutBucketPolicy GetBucketPolicy DeleteBucketPolicy"),
    "AWS::SNS::Subscription": of("sns", "Subscribe Unsubscribe GetSubscriptionAttributes SetSubscriptionAttributes"),
    "AWS::SNS::Topic": of(
        "sns",
        "CreateTopic GetTopicAttributes SetTopicAttributes DeleteTopic ListSubscriptionsByTopic "
        f"GetDataProtectionPolicy {_TAGS}",
    ),
    "AWS::SQS::Queue": of(
        "sqs",
        "CreateQueue GetQueueAttributes GetQueueUrl SetQueueAttributes DeleteQueue TagQueue UntagQueue ListQueueTags",
    ),
    "AWS::SQS::QueuePolicy": of("sqs", "SetQueueAttributes GetQueueAttributes"),
    "AWS::StepFunctions::StateMachine": of(
        "states",
        "CreateStateMachine DescribeStateMachine UpdateStateMachine DeleteStateMachine "
        "TagResource UntagResource ListTagsForResource",
    )
    | of("iam", "PassRole"),
    "AWS::SecretsManager::Secret": of(
        "secretsmanager",
        "CreateSecret DescribeSecret UpdateSecret DeleteSecret GetRandomPassword GetSecretValue GetResourcePolicy "
        "TagResource UntagResource",
    ),
}
COMMANDS = {
    # A change set, the transforms, and the bucket that the SAM CLI makes for the code at the first deploy.
    "sam deploy": of(
        "cloudformation",
        "CreateChangeSet DescribeChangeSet ExecuteChangeSet DeleteChangeSet DescribeStacks DescribeStackEvents "
        "GetTemplateSummary CreateStack TagResource",
    )
    | of("s3", "PutObject GetObject ListBucket GetBucketLocation PutBucketVersioning"),
    "preflight": of("cloudformation", "DescribeType ListStackResources")
    | of("lambda", "GetAccountSettings ListLayers")
    | of("ec2", "DescribeVpcs")
    | of("servicequotas", "GetServiceQuota")
    | of("secretsmanager", "DescribeSecret GetSecretValue"),
    "the provider's secret": of("secretsmanager", "CreateSecret PutSecretValue"),
    "smoke": of("lambda", "InvokeFunction") | of("sns", "Publish") | of("secretsmanager", "GetSecretValue"),
    "redrive": of("sqs", "StartMessageMoveTask ReceiveMessage DeleteMessage SendMessage GetQueueAttributes"),
    "destroy": of("cloudformation", "DeleteStack") | of("dynamodb", "DescribeTable Query") | of("s3", "ListBucket"),
    "adopt": of("dynamodb", "ListTagsOfResource GetItem Query DeleteItem") | of("s3", "GetBucketTagging"),
}


def covered(action: str) -> bool:
    return any(fnmatchcase(action, pattern) for pattern in ALLOWED)


def test_every_type_of_the_template_is_looked_at() -> None:
    assert set(NEEDED) == types()


@pytest.mark.parametrize("what", [*NEEDED, *COMMANDS])
def test_what_is_needed_is_allowed(what: str) -> None:
    assert [action for action in sorted({**NEEDED, **COMMANDS}[what]) if not covered(action)] == []


def test_nothing_is_allowed_that_nothing_needs() -> None:
    needed = set().union(*NEEDED.values(), *COMMANDS.values())
    assert [
        pattern for pattern in sorted(ALLOWED) if not any(fnmatchcase(permission, pattern) for permission in needed)
    ] == []
    # Wildcards read only.
    assert {pattern.partition(":")[2].rstrip("*") for pattern in ALLOWED if "*" in pattern} == {
        "Describe",
        "Get*Configuration",
        "GetBucket",
        "GetFunction",
        "UpdateFunction",
    }


def test_every_action_is_one_that_aws_has() -> None:
    # Found, not imported: that would take a second of every run.
    data = Path(str(distribution("cfn-lint").locate_file("cfnlint"))) / "data" / "AdditionalSpecs" / "Policies.json"
    known: dict[str, Any] = json.loads(data.read_text(encoding="utf-8"))
    for pattern in ALLOWED:
        service, _, action = pattern.partition(":")
        assert any(fnmatchcase(name, action.lower()) for name in known[service]["Actions"]), pattern


def test_only_what_has_no_name_of_ours_is_allowed_everywhere() -> None:
    everywhere = {statement["Sid"] for statement in POLICY["Statement"] if "*" in listed(statement["Resource"])}
    assert everywhere == {"WhatHasNoNameOfOurs", "TableKey"}
    [passed] = [statement for statement in POLICY["Statement"] if statement["Action"] == "iam:PassRole"]
    services = ["lambda.amazonaws.com", "states.amazonaws.com"]
    assert passed["Condition"] == {"StringEquals": {"iam:PassedToService": services}}


def test_the_policy_is_as_long_as_a_managed_policy_may_be() -> None:
    assert len(json.dumps(POLICY, separators=(",", ":"))) <= 6144
