"""What `make deploy` looks at first, with accounts as they are."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.operate.preflight import Finding, look

REGION = "eu-west-1"
ARN = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:key-AbCdEf"


class Account:
    """Each service's client is the account itself: the names of their calls differ."""

    def __init__(self, **differs: Any) -> None:
        self.concurrency, self.networks, self.deployed, self.secret = 1000, 1, False, "sk-plain"
        vars(self).update(differs)

    def __call__(self, service: str) -> Any:
        assert service in {"lambda", "ec2", "secretsmanager", "cloudformation", "service-quotas"}
        return self

    def get_account_settings(self) -> Any:
        return {
            "AccountLimit": dict.fromkeys(("ConcurrentExecutions", "UnreservedConcurrentExecutions"), self.concurrency)
        }

    def describe_stacks(self, **_: Any) -> Any:
        if not self.deployed:
            raise _refused("DescribeStacks", "Stack with id x does not exist")

    def describe_vpcs(self) -> Any:
        return {"Vpcs": [{}] * self.networks}

    def get_service_quota(self, **_: Any) -> Any:
        return {"Quota": {"Value": 5.0}}

    def get_secret_value(self, **_: Any) -> Any:
        if self.secret is None:
            raise _refused("GetSecretValue", "AccessDenied")
        return {"SecretString": self.secret}


def _refused(call: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": "ValidationError", "Message": message}}, call)


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
        (Account(), {"ProviderSecretArn": ARN.replace(REGION, "us-east-1")}, "of us-east-1, the stack of eu-west-1"),
        (Account(), {"ProvidersSecretArn": "my-secret"}, "no ARN"),
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


def test_a_stack_that_is_there_has_its_network_already() -> None:
    assert findings(Account(networks=5, deployed=True)) == []


def test_what_may_not_be_looked_at_is_said_and_stops_nothing() -> None:
    [finding] = findings(Account(secret=None))
    assert not finding.stops
    assert "AccessDenied" in finding.text


def test_openai_without_a_key_is_a_note() -> None:
    assert [one.stops for one in findings(Account(), ProviderSecretArn="")] == [False]
    assert findings(Account(), ProviderSecretArn="", ProviderBaseUrl="http://mine/v1") == []
