"""The boto3 clients, one of each, made at first use and bounded in time."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

_BOUNDED = Config(
    connect_timeout=3,
    read_timeout=20,
    max_pool_connections=20,
    retries={"mode": "standard", "total_max_attempts": 5},
)


@cache
def dynamodb() -> DynamoDBClient:
    return boto3.client("dynamodb", config=_BOUNDED)


@cache
def s3() -> S3Client:
    return boto3.client("s3", config=_BOUNDED)


@cache
def sqs() -> SQSClient:
    return boto3.client("sqs", config=_BOUNDED)


@cache
def sns() -> SNSClient:
    return boto3.client("sns", config=_BOUNDED)


@cache
def events() -> EventBridgeClient:
    return boto3.client("events", config=_BOUNDED)


@cache
def secretsmanager() -> SecretsManagerClient:
    return boto3.client("secretsmanager", config=_BOUNDED)


@cache
def secret(arn: str) -> str:
    """The secret's string, read once per process."""
    return secretsmanager().get_secret_value(SecretId=arn)["SecretString"]
