"""`sam build` and `sam deploy` of template.yaml to the emulator.

In: the checkout and the addresses of emulator, lab and pages. Out: the outputs of the deployed stack. A failing tool
raises StackError with the end of `.local/logs/sam.log`.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

from botocore.exceptions import ClientError

from local.stack import aws, fingerprint, iam
from local.stack.artifact import compile_command, pack
from local.stack.errors import StackError
from local.stack.layout import Layout
from local.stack.processes import run_logged

STACK_NAME = "stillhouse-local"

# Made-up prices, so that reports have costs to compare. Reports label them as examples.
EXAMPLE_PRICES = {
    "as_of": "examples of the local stack, not real prices",
    "models": {
        "lab-large": {"input": "3.00", "output": "12.00"},
        "lab-small": {"input": "0.20", "output": "0.80", "training": "1.00"},
        "ft:lab-small:lab": {"input": "0.20", "output": "0.80"},
        "lab-judge": {"input": "0.20", "output": "0.80"},
    },
}

# A short visibility timeout, so that the message of a function that died comes back soon; webhooks to this machine.
_LOCAL_PARAMETERS = {
    "ConsumerTimes": "local",
    "RecordWindow": "1",
    "WebhooksToPrivate": "true",
    "Prices": json.dumps(EXAMPLE_PRICES),
    "BedrockTraining": "true",
    "SageMakerTraining": "true",
}
_CODE_BUCKET = "stillhouse-local-code"  # as in samconfig.toml
_DEPLOYED = "/stillhouse-local/deployed"
_ARCHITECTURES = {"x86_64": "x86_64", "AMD64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
_LAB_SECRET = "stillhouse-lab-key"  # noqa: S105, the secret's name; the lab takes any key
# Build all functions of one CodeUri once, and look more often whether the deploy is done. Of a wheel that pip says to
# take from a folder SAM has a wheel built anew, by a process each: pip says nothing.
_SAM_ENVIRONMENT = {
    "PIP_QUIET": "1",
    "SAM_CLI_TELEMETRY": "0",
    "SAM_CLI_BETA_BUILD_PERFORMANCE": "1",
    "SAM_CLI_POLL_DELAY": "0.5",
    "AWS_PAGER": "",
    "PYTHONDONTWRITEBYTECODE": "",
}

type Report = Callable[[str], None]


def build(layout: Layout, report: Report) -> str:
    """Build unless exactly these sources are built already; returns their fingerprint."""
    sources = fingerprint.sources(layout.root)
    stamp = layout.built.with_name("fingerprint")
    if _read(stamp) == sources:
        report("build: unchanged")
        return sources
    started = time.monotonic()
    stamp.unlink(missing_ok=True)
    report("build: sam build")
    layout.built.parent.mkdir(parents=True, exist_ok=True)
    _sam(
        layout,
        "build",
        "--build-dir",
        str(layout.built),
        "--cache-dir",
        str(layout.built.with_name("cache")),
        "--parameter-overrides",
        _pair("Architecture", architecture()),
    )
    run_logged(
        "compileall",
        compile_command(layout.environment(".venv-sam") / "python", layout.built),
        env=os.environ,
        cwd=layout.root,
        log=layout.log("sam"),
    )
    pack(layout.built)
    stamp.write_text(sources)
    report(f"build: done in {time.monotonic() - started:.0f} s")
    return sources


def deploy(
    layout: Layout, *, sources: str, endpoint_url: str, lab_url: str, pages_url: str, report: Report
) -> dict[str, str]:
    """Deploys what is built, unless the emulator has these sources with these parameters; answers the outputs."""
    parameters = _LOCAL_PARAMETERS | {
        "Architecture": architecture(),
        "ConsumerConcurrency": _concurrency(),
        "ProviderBaseUrl": lab_url,
        "ProviderSecretArn": _lab_secret(endpoint_url),
        "ProviderTrainsOthers": "yes",
        "PublicUrl": f"{pages_url}/v1",
    }
    wanted = json.dumps({"sources": sources, "endpoint": endpoint_url, "iam": iam.enforced(), **parameters})
    if _deployed(endpoint_url) == wanted:
        report("deploy: unchanged")
    else:
        _deploy(layout, parameters, endpoint_url, report)
        _set_deployed(endpoint_url, wanted)
    return outputs(endpoint_url)


def _deploy(layout: Layout, parameters: dict[str, str], endpoint_url: str, report: Report) -> None:
    started = time.monotonic()
    report("deploy: sam deploy")
    _set_deployed(endpoint_url, "nothing whole")
    aws.client("s3", endpoint_url).create_bucket(Bucket=_CODE_BUCKET)
    _sam(
        layout,
        "deploy",
        "--template-file",
        str(layout.built / "template.yaml"),
        "--stack-name",
        STACK_NAME,
        "--parameter-overrides",
        *(_pair(name, value) for name, value in parameters.items()),
        environment=aws.tool_environment(endpoint_url),
    )
    _empty_code_bucket(endpoint_url)
    if iam.enforced():
        iam.admit_plain_http(endpoint_url, outputs(endpoint_url)["BucketName"])
    report(f"deploy: done in {time.monotonic() - started:.0f} s")


def _deployed(endpoint_url: str) -> str | None:
    """The fingerprint of what is deployed. It is kept in the emulator, so that both are lost together."""
    ssm = aws.client("ssm", endpoint_url)
    try:
        value: str = ssm.get_parameter(Name=_DEPLOYED)["Parameter"]["Value"]
    except ssm.exceptions.ParameterNotFound:
        return None
    return value


def _set_deployed(endpoint_url: str, value: str) -> None:
    ssm = aws.client("ssm", endpoint_url)
    ssm.put_parameter(Name=_DEPLOYED, Value=value, Type="String", Overwrite=True)


def _empty_code_bucket(endpoint_url: str) -> None:
    """Delete the uploaded archives, which the functions no longer need: each deploy would add a hundred megabytes."""
    s3 = aws.client("s3", endpoint_url)
    for entry in s3.list_objects_v2(Bucket=_CODE_BUCKET).get("Contents", []):
        s3.delete_object(Bucket=_CODE_BUCKET, Key=entry["Key"])


def outputs(endpoint_url: str) -> dict[str, str]:
    """The outputs, and under their logical ids the physical ids of what has no output."""
    cloudformation = aws.client("cloudformation", endpoint_url)
    stack = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0]
    resources = cloudformation.describe_stack_resources(StackName=STACK_NAME)["StackResources"]
    named = {entry["LogicalResourceId"]: entry["PhysicalResourceId"] for entry in resources}
    return named | {entry["OutputKey"]: entry["OutputValue"] for entry in stack.get("Outputs", [])}


def architecture() -> str:
    """The processor architecture of this machine, whose Python runs the functions."""
    if platform.system() != "Linux":
        raise StackError("The local stack runs the functions' Linux packages: use Linux, WSL or a Linux container.")
    try:
        return _ARCHITECTURES[platform.machine()]
    except KeyError:
        raise StackError(f"Lambda has no {platform.machine()} machines; x86_64 and arm64 are.") from None


def _sam(layout: Layout, verb: str, *arguments: str, environment: dict[str, str] | None = None) -> None:
    binaries = layout.environment(".venv-sam")
    search = {"PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"}
    run_logged(
        f"sam {verb}",
        [binaries / "sam", verb, "--config-file", layout.root / "samconfig.toml", "--config-env", "local", *arguments],
        env={**os.environ, **_SAM_ENVIRONMENT, **search, **(environment or {})},
        cwd=layout.root,
        log=layout.log("sam"),
    )


def _concurrency() -> str:
    """The functions that a queue may run at once: as many as cores, since each takes seconds to import; at least 2."""
    return str(min(max(os.process_cpu_count() or 0, 2), 8))


def _lab_secret(endpoint_url: str) -> str:
    secrets = aws.client("secretsmanager", endpoint_url)
    try:
        arn: str = secrets.create_secret(Name=_LAB_SECRET, SecretString="lab")["ARN"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceExistsException":
            raise
        arn = secrets.describe_secret(SecretId=_LAB_SECRET)["ARN"]
    return arn


def _pair(name: str, value: str) -> str:
    """A parameter as the SAM CLI reads it: in quotes, with a backslash before each quote that is its own."""
    return f"ParameterKey={name},ParameterValue={json.dumps(value)}"


def _read(path: Path) -> str | None:
    return path.read_text() if path.exists() else None
