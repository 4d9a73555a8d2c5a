"""Starts the fakes: what the local stack has of Bedrock and SageMaker, which the emulator lacks.

The functions' clients reach them by the variables of `fakes_environment`, which botocore reads.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from local.stack import aws
from local.stack.layout import Layout
from local.stack.ports import HOST
from local.stack.processes import Child, Command, child, wait_healthy

_SERVICES = {
    "bedrock": "BEDROCK",
    "bedrock-runtime": "BEDROCK_RUNTIME",
    "sagemaker": "SAGEMAKER",
    "sagemaker-runtime": "SAGEMAKER_RUNTIME",
    "application-autoscaling": "APPLICATION_AUTO_SCALING",
}
"""The services, and what botocore calls each in the name of its variable."""


@contextmanager
def fakes(layout: Layout, port: int, *, endpoint_url: str, lab_url: str) -> Iterator[Child]:
    """The fakes, perhaps not ready yet, for the length of the block. Their S3 and their bus are the emulator's."""
    command: Command = [
        layout.environment(".venv") / "python",
        "-m",
        "local.stack.tether",
        "local.fakes",
        "--port",
        str(port),
        "--lab",
        lab_url,
        "--state",
        layout.fakes_state,
    ]
    environment = {**os.environ, **aws.tool_environment(endpoint_url)}
    with child("fakes", command, env=environment, cwd=layout.root, log=layout.log("fakes")) as started:
        yield started


def await_fakes(started: Child, port: int) -> None:
    wait_healthy(started, port, "/fakes/health")


def fakes_url(port: int) -> str:
    return f"http://{HOST}:{port}"


def fakes_environment(url: str) -> dict[str, str]:
    """The addresses of the services for botocore, each with its service's name at its end."""
    return {f"AWS_ENDPOINT_URL_{name}": f"{url}/{service}" for service, name in _SERVICES.items()}
