"""What `make deploy` looks at first, with accounts as they are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.operate.preflight import Finding, look
from infra.operate.template import types
from tests.template.loading import expanded

REGION = "eu-west-1"
ARN = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:key-AbCdEf"


class NotFoundError(Exception):
    """No such secret."""


class Account:
    """Each service's client is the account itself: the names of their calls differ."""

    def __init__(self, **differs: Any) -> None:
        self.concurrency, self.networks, self.secret = 1000, 1, "sk-plain"
        self.deployed: list[str] | None = None
        self.parameters: dict[str, str] = {}
        self.unreserved: int | None = None
        self.lacks: set[str] = set()
        self.key: str | None = None
        self.exceptions = SimpleNamespace(ResourceNotFoundException=NotFoundError)
        vars(self).update(differs)

    def __call__(self, service: str) -> Any:
        assert service in {"lambda", "ec2", "secretsmanager", "cloudformation", "service-quotas"}
        return self

    def get_account_settings(self) -> Any:
        unreserved = self.concurrency if self.unreserved is None else self.unreserved
        return {
            "AccountLimit": {
                "ConcurrentExecutions": self.concurrency,
                "UnreservedConcurrentExecutions": unreserved,
            }
        }

    def describe_stacks(self, **_: Any) -> Any:
        if self.deployed is None:
            raise _refused("DescribeStacks", "Stack with id x does not exist")
        pairs = self.parameters.items()
        return {"Stacks": [{"Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in pairs]}]}

    def get_paginator(self, call: str) -> Any:
        assert call == "list_stack_resources"
        return self

    def paginate(self, **_: Any) -> Any:
        if self.deployed is None:
            raise _refused("ListStackResources", "Stack with id x does not exist")
        return [
            {
                "StackResourceSummaries": [
                    {"LogicalResourceId": stack, "PhysicalResourceId": stack} for stack in self.deployed
                ]
            }
        ]

    def describe_type(self, *, Type: str, TypeName: str) -> None:  # noqa: N803 - boto3's names
        assert Type == "RESOURCE"
        if TypeName in self.lacks:
            raise _refused("DescribeType", TypeName, code="TypeNotFoundException")

    def list_layers(self, *, CompatibleRuntime: str, CompatibleArchitecture: str, **_: Any) -> None:  # noqa: N803
        if self.lacks & {CompatibleRuntime, CompatibleArchitecture}:
            raise _refused("ListLayers", "Member must satisfy enum value set", code="ValidationException")

    def describe_vpcs(self) -> Any:
        return {"Vpcs": [{}] * self.networks}

    def get_service_quota(self, **_: Any) -> Any:
        return {"Quota": {"Value": 5.0}}

    def describe_secret(self, *, SecretId: str) -> Any:  # noqa: N803 - boto3's name
        if "absent" in SecretId:
            raise NotFoundError
        return {"KmsKeyId": self.key} if self.key else {}

    def get_secret_value(self, **_: Any) -> Any:
        if self.secret is None:
            raise _refused("GetSecretValue", "AccessDenied")
        return {"SecretString": self.secret}


def _refused(call: str, message: str, *, code: str = "ValidationError") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, call)


def findings(account: Account, **parameters: str) -> list[Finding]:
    return look(account, REGION, "stillhouse", {"ProviderSecretArn": ARN, **parameters})


def test_an_ordinary_account_has_no_findings() -> None:
    assert findings(Account()) == []


@pytest.mark.parametrize(
    ("account", "parameters", "says"),
    [
        (Account(concurrency=10), {}, "request-service-quota-increase"),
        (Account(concurrency=1000), {"SandboxConcurrency": "950"}, "leaves 50 executions"),
        (Account(networks=5), {}, "5 VPCs of 5"),
        (Account(secret='{"key": "sk-hidden"}'), {}, "put-secret-value"),
        (Account(secret=" \n"), {}, "is empty"),
        (Account(key="arn:aws:kms:eu-west-1:1:key/k"), {}, "SecretsKeyArn=arn:aws:kms:eu-west-1:1:key/k"),
        (Account(), {"ProviderSecretArn": ARN.replace("key-", "absent-")}, "names no secret that is there"),
        (
            Account(),
            {"ProviderSecretArn": "", "ProviderBaseUrl": "http://m/v1", "ProvidersSecretArn": ARN},
            "no JSON object",
        ),
        (Account(), {"ProviderSecretArn": ARN.replace(REGION, "us-east-1")}, "of us-east-1, the stack of eu-west-1"),
        (Account(), {"ProvidersSecretArn": "my-secret"}, "no ARN"),
        (Account(lacks={"AWS::Lambda::Url"}), {}, "FunctionUrls=false"),
        (Account(lacks={"AWS::DynamoDB::Table"}), {"FunctionUrls": "false"}, "eu-west-1 has no AWS::DynamoDB::Table"),
        (Account(lacks={"arm64"}), {}, "does not run python3.13 on arm64"),
        (Account(lacks={"python3.13"}), {"Architecture": "x86_64"}, "does not run python3.13 on x86_64"),
    ],
)
def test_what_would_fail_stops_the_deploy_and_says_what_to_do(
    account: Account, parameters: dict[str, str], says: str
) -> None:
    [finding] = findings(account, **parameters)
    assert finding.stops
    assert says in finding.text
    assert "sk-hidden" not in finding.text


def test_a_new_account_may_deploy_small() -> None:
    [finding] = findings(Account(concurrency=10), ConsumerConcurrency="2")
    assert not finding.stops


def test_a_stack_that_is_there_has_its_network_already_an_adopted_one_has_not() -> None:
    assert findings(Account(networks=5, deployed=["Table", "SandboxNetwork"])) == []
    [finding] = findings(Account(networks=5, deployed=["Table", "Bucket"]))
    assert "5 VPCs of 5" in finding.text


def test_a_region_without_function_urls_does_without_them() -> None:
    assert findings(Account(lacks={"AWS::Lambda::Url"}), FunctionUrls="false") == []


def test_the_types_are_those_of_the_whole_template() -> None:
    """They are what a linter finds with CloudFormation's tags read; SAM's own type counts as what it makes."""
    whole = {resource["Type"] for resource in expanded()["Resources"].values()} - {"AWS::Serverless::Function"}
    assert types() == whole | {"AWS::Lambda::Function", "AWS::IAM::Role"}


def test_what_may_not_be_looked_at_is_said_and_stops_nothing() -> None:
    [finding] = findings(Account(secret=None))
    assert not finding.stops
    assert "AccessDenied" in finding.text


def test_openai_without_a_key_is_a_note() -> None:
    assert [finding.stops for finding in findings(Account(), ProviderSecretArn="")] == [False]
    assert findings(Account(), ProviderSecretArn="", ProviderBaseUrl="http://mine/v1") == []


def test_a_name_too_long_for_what_is_named_after_it_stops_the_deploy() -> None:
    [finding] = look(Account(), REGION, "s" * 41, {"ProviderSecretArn": ARN})
    assert finding.stops
    assert "41 letters" in finding.text
    assert look(Account(), REGION, "s" * 40, {"ProviderSecretArn": ARN}) == []


def test_an_update_keeps_what_is_not_given() -> None:
    kept = {"ProviderSecretArn": ARN, "SandboxConcurrency": "100", "FunctionUrls": "false"}
    # What the sandbox has reserved already is not taken a second time.
    account = Account(
        deployed=["SandboxNetwork"], parameters=kept, concurrency=200, unreserved=100, lacks={"AWS::Lambda::Url"}
    )
    assert look(account, REGION, "stillhouse", {}) == []
    [finding] = look(account, REGION, "stillhouse", {"SandboxConcurrency": "101"})
    assert "leaves 99 executions" in finding.text
