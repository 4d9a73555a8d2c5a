"""Looks at the account before a deploy: `make deploy` stops where AWS would refuse, or where nothing would work.

In: the region, the stack's name and the parameters as `Name=value`. Out: a line for each finding, each with its remedy;
exit 1 where one of them stops the deploy. What may not be looked at is said and stops nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

_LEAST_CONCURRENCY = 50
_UNRESERVED = 100
"""So many concurrent executions Lambda keeps for functions that reserve none."""
_NETWORKS = "L-F678F1CE"
_ASK = "aws service-quotas request-service-quota-increase --service-code"


@dataclass(frozen=True)
class Finding:
    """What is wrong and what to do; `stops` where a deploy would fail or be of no use."""

    text: str
    stops: bool


type Client = Callable[[str], Any]


def look(client: Client, region: str, stack: str, parameters: dict[str, str]) -> list[Finding]:
    """All findings. `client` makes the client of a service in that region."""
    # None of them begins before it is listed.
    looks = (
        _concurrency(client, parameters),
        _networks(client, stack),
        _secret(client, region, "ProviderSecretArn", parameters),
        _secret(client, region, "ProvidersSecretArn", parameters),
    )
    findings: list[Finding] = []
    for findings_of_look in looks:
        try:
            findings += findings_of_look
        except (ClientError, BotoCoreError) as error:
            findings.append(Finding(f"could not look: {error}", stops=False))
    return findings


def _concurrency(client: Client, parameters: dict[str, str]) -> Iterator[Finding]:
    limit = client("lambda").get_account_settings()["AccountLimit"]
    total, unreserved = limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]
    if total < _LEAST_CONCURRENCY:
        yield Finding(
            f"this account may run {total} functions at once, as new accounts do: runs would throttle callers. Ask for "
            f"more, which takes a day or two: {_ASK} lambda --quota-code L-B99A9384 --desired-value 1000. Until then "
            "deploy with ConsumerConcurrency=2.",
            stops=parameters.get("ConsumerConcurrency") != "2",
        )
    reserved = int(parameters.get("SandboxConcurrency") or 0)
    if reserved and unreserved - reserved < _UNRESERVED:
        yield Finding(
            f"SandboxConcurrency={reserved} leaves {unreserved - reserved} executions to all others, and Lambda "
            f"refuses less than {_UNRESERVED}: leave the parameter out.",
            stops=True,
        )


def _networks(client: Client, stack: str) -> Iterator[Finding]:
    """A first deploy makes a network for the sandbox."""
    try:
        client("cloudformation").describe_stacks(StackName=stack)
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
    else:
        return
    there = len(client("ec2").describe_vpcs()["Vpcs"])
    quota = client("service-quotas").get_service_quota(ServiceCode="vpc", QuotaCode=_NETWORKS)["Quota"]["Value"]
    if there >= quota:
        yield Finding(
            f"the region has {there} VPCs of {quota:.0f}, and the sandbox needs one: delete one, or ask for more: "
            f"{_ASK} vpc --quota-code {_NETWORKS} --desired-value {quota + 5:.0f}",
            stops=True,
        )


def _secret(client: Client, region: str, name: str, parameters: dict[str, str]) -> Iterator[Finding]:
    arn = parameters.get(name, "")
    if not arn:
        if name == "ProviderSecretArn" and "ProviderBaseUrl" not in parameters:
            yield Finding("ProviderSecretArn is not given: OpenAI answers nobody without a key.", stops=False)
        return
    parts = arn.split(":")
    if parts[:1] != ["arn"] or len(parts) < 7:  # noqa: PLR2004 - arn:aws:secretsmanager:<region>:<account>:secret:<name>
        yield Finding(f"{name} is no ARN of a secret: {arn}", stops=True)
    elif parts[3] != region:
        yield Finding(f"{name} is of {parts[3]}, the stack of {region}: make the secret there.", stops=True)
    else:
        text = client("secretsmanager").get_secret_value(SecretId=arn).get("SecretString", "").strip()
        if name == "ProviderSecretArn" and text.startswith(("{", "[", '"')):
            yield Finding(
                f"{name} holds JSON, as the console stores key/value pairs. Store the key alone: "
                f"aws secretsmanager put-secret-value --secret-id {arn} --secret-string <key>",
                stops=True,
            )
        if not text:
            yield Finding(f"{name} is empty.", stops=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--stack", required=True)
    arguments.add_argument("--region")
    arguments.add_argument("parameters", nargs="*")
    asked = arguments.parse_args()
    session = boto3.Session(region_name=asked.region)
    if session.region_name is None:
        sys.exit("No region: say REGION=eu-west-1, or set AWS_DEFAULT_REGION.")
    try:
        account = session.client("sts").get_caller_identity()["Account"]
    except (ClientError, BotoCoreError) as error:
        sys.exit(f"No AWS credentials that work ({error}): run 'aws configure' or 'aws sso login'.")
    parameters = dict(pair.split("=", 1) for pair in asked.parameters if "=" in pair)
    sys.stdout.write(f"preflight: {asked.stack} in account {account}, {session.region_name}\n")
    make: Any = session.client
    findings = look(make, session.region_name, asked.stack, parameters)
    for finding in findings:
        sys.stdout.write(f"  {'STOP' if finding.stops else 'note'}: {finding.text}\n")
    sys.exit(any(finding.stops for finding in findings))


if __name__ == "__main__":
    main()
