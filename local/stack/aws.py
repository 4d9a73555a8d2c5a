"""The emulator as boto3 and the AWS tools see it: its address and credentials that mean nothing."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

REGION = "us-east-1"
# The emulator takes the access key for the account's number.
_ACCOUNT = "000000000000"
_SECRET = "local"  # noqa: S105, no secret at all

# No proxy stands between two processes of one machine, whatever the environment says.
_DIRECT = Config(proxies={}, connect_timeout=2, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 2})


def client(service: str, endpoint_url: str) -> Any:
    make: Any = boto3.session.Session(
        region_name=REGION, aws_access_key_id=_ACCOUNT, aws_secret_access_key=_SECRET
    ).client
    return make(service, endpoint_url=endpoint_url, config=_DIRECT)


def tool_environment(endpoint_url: str) -> dict[str, str]:
    """What makes an AWS command talk to the emulator."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": _ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": _SECRET,
        "AWS_SESSION_TOKEN": "",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
    }
