"""Looks at the account before a deploy: `make deploy` stops where AWS would refuse, or where nothing would work.

In: the region, the stack's name and the parameters as `Name=value`. Out: a line for each finding, each with its remedy;
exit 1 where one of them stops the deploy. What may not be looked at is said and stops nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.operate import template
from infra.operate.stack import resources

_LEAST_CONCURRENCY = 50
_UNRESERVED = 100
"""So many concurrent executions Lambda keeps for functions that reserve none."""
_NETWORKS = "L-F678F1CE"
LONGEST_STACK = 40
"""Letters of a stack's name: names of queues, which begin with it, stand in the environment of each function."""
_OPENAI = "https://api.openai.com/v1"
_OWN_KEY = "alias/aws/secretsmanager"
"""AWS's key, which every function that may read a secret may use."""
_ASK = "aws service-quotas request-service-quota-increase --service-code"


@dataclass(frozen=True)
class Finding:
    """What is wrong and what to do; `stops` where a deploy would fail or be of no use."""

    text: str
    stops: bool


type Client = Callable[[str], Any]


def look(client: Client, region: str, stack: str, given: dict[str, str]) -> list[Finding]:
    """All findings. `client` makes the client of a service in that region; an update keeps what is not given."""
    kept = _kept(client, stack)
    parameters = {**kept, **given}
    # None of them begins before it is listed.
    looks = (
        _name(stack),
        _types(client, region, parameters),
        _runtime(client, region, parameters),
        _concurrency(client, parameters, int(kept.get("SandboxConcurrency") or 0)),
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


def _kept(client: Client, stack: str) -> dict[str, str]:
    """The parameters of the stack as it is deployed; none where it is not, or may not be looked at."""
    try:
        [described] = client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except (ClientError, BotoCoreError):
        return {}
    return {entry["ParameterKey"]: entry["ParameterValue"] for entry in described.get("Parameters", [])}


def _name(stack: str) -> Iterator[Finding]:
    if len(stack) > LONGEST_STACK:
        yield Finding(f"the stack's name has {len(stack)} letters: {LONGEST_STACK} at most.", stops=True)


def _types(client: Client, region: str, parameters: dict[str, str]) -> Iterator[Finding]:
    """A region's CloudFormation knows the types of what the region has: a third of them have no function URLs."""
    cloudformation = client("cloudformation")
    for kind in sorted(template.types()):
        try:
            cloudformation.describe_type(Type="RESOURCE", TypeName=kind)
        except ClientError as error:
            if error.response["Error"]["Code"] != "TypeNotFoundException":
                raise
            if kind != "AWS::Lambda::Url":
                yield Finding(f"{region} has no {kind}: deploy to another region.", stops=True)
            elif parameters.get("FunctionUrls") != "false":
                yield Finding(
                    f"{region} has no URLs of functions. Deploy with FunctionUrls=false, and calls of the gateway end "
                    "at 28 s; or deploy to another region.",
                    stops=True,
                )


def _runtime(client: Client, region: str, parameters: dict[str, str]) -> Iterator[Finding]:
    """Lambda refuses a search for what it does not know."""
    runtime, architecture = template.runtime(), parameters.get("Architecture", "arm64")
    try:
        client("lambda").list_layers(CompatibleRuntime=runtime, CompatibleArchitecture=architecture, MaxItems=1)
    except ClientError as error:
        if error.response["Error"]["Code"] not in {"ValidationException", "InvalidParameterValueException"}:
            raise
        yield Finding(
            f"Lambda in {region} does not run {runtime} on {architecture}: deploy with Architecture=x86_64, or to "
            "another region.",
            stops=True,
        )


def _concurrency(client: Client, parameters: dict[str, str], reserved_now: int) -> Iterator[Finding]:
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
    left = unreserved + reserved_now - reserved
    if reserved and left < _UNRESERVED:
        yield Finding(
            f"SandboxConcurrency={reserved} leaves {left} executions to all others, and Lambda "
            f"refuses less than {_UNRESERVED}: leave the parameter out.",
            stops=True,
        )


def _networks(client: Client, stack: str) -> Iterator[Finding]:
    """A first deploy makes a network for the sandbox, and so does the deploy that completes an adopted stack."""
    try:
        if "SandboxNetwork" in resources(client("cloudformation"), stack):
            return
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
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
        if name == "ProviderSecretArn" and parameters.get("ProviderBaseUrl", _OPENAI) == _OPENAI:
            yield Finding("ProviderSecretArn is not given: OpenAI answers nobody without a key.", stops=False)
        return
    parts = arn.split(":")
    if parts[:1] != ["arn"] or len(parts) < 7:  # noqa: PLR2004 - arn:aws:secretsmanager:<region>:<account>:secret:<name>
        yield Finding(f"{name} is no ARN of a secret: {arn}", stops=True)
    elif parts[3] != region:
        yield Finding(f"{name} is of {parts[3]}, the stack of {region}: make the secret there.", stops=True)
    else:
        yield from _content(client("secretsmanager"), name, arn, parameters)


def _content(secrets: Any, name: str, arn: str, parameters: dict[str, str]) -> Iterator[Finding]:
    """The functions can read it, and it is what they expect: a key alone, or the JSON of several providers."""
    try:
        key = secrets.describe_secret(SecretId=arn).get("KmsKeyId", _OWN_KEY)
    except secrets.exceptions.ResourceNotFoundException:
        yield Finding(f"{name} names no secret that is there: {arn}", stops=True)
        return
    if not key.endswith(_OWN_KEY) and not parameters.get("SecretsKeyArn"):
        yield Finding(
            f"{name} lies under a key of your own, which the functions may not use: deploy with SecretsKeyArn={key}",
            stops=True,
        )
    text = secrets.get_secret_value(SecretId=arn).get("SecretString", "").strip()
    if not text:
        yield Finding(f"{name} is empty.", stops=True)
    elif name == "ProviderSecretArn" and text.startswith(("{", "[", '"')):
        yield Finding(
            f"{name} holds JSON, as the console stores key/value pairs. Store the key alone: "
            f"aws secretsmanager put-secret-value --secret-id {arn} --secret-string <key>",
            stops=True,
        )
    elif name == "ProvidersSecretArn" and not _is_object(text):
        yield Finding(
            f'{name} is no JSON object of providers: {{"<name>": {{"base_url": "https://…/v1", "api_key": "…"}}}}',
            stops=True,
        )


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


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
