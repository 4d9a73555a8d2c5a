"""The AWS clients of boto3: one of each service, in one session, made at first use, with time limits on each call."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, NoCredentialsError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

_SERVER_ERROR = 500
_THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    }
)
"""The codes of botocore.retries.standard.ThrottledRetryableChecker that the services used here answer with."""

_BOUNDED = Config(
    connect_timeout=3,
    read_timeout=20,
    max_pool_connections=20,
    retries={"mode": "standard", "total_max_attempts": 5},
)


@cache
def _session() -> boto3.Session:
    return boto3.Session()


@cache
def dynamodb() -> DynamoDBClient:
    return _session().client("dynamodb", config=_BOUNDED)


@cache
def s3() -> S3Client:
    """The client of S3, whose presigned links work alike in every region.

    They are signed by SigV4, which covers the announced length, and name the region's host. By default botocore signs
    for eight regions with an older method that leaves the length open, and names a host that redirects for some.
    """
    regional: Any = {"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"}
    return _session().client("s3", config=_BOUNDED.merge(Config(signature_version="s3v4", s3=regional)))


@cache
def sqs() -> SQSClient:
    return _session().client("sqs", config=_BOUNDED)


@cache
def sns() -> SNSClient:
    """The client of SNS, which has answered or failed while the claim on a delivery holds; its message comes again."""
    brief = _BOUNDED.merge(Config(read_timeout=8, retries={"mode": "standard", "total_max_attempts": 2}))
    return _session().client("sns", config=brief)


@cache
def events() -> EventBridgeClient:
    return _session().client("events", config=_BOUNDED)


@cache
def functions() -> LambdaClient:
    """The client of Lambda. A call waits for the function's answer and is not repeated: it may still be at work."""
    patient = _BOUNDED.merge(Config(read_timeout=75, retries={"mode": "standard", "total_max_attempts": 1}))
    return _session().client("lambda", config=patient)


@cache
def secretsmanager() -> SecretsManagerClient:
    return _session().client("secretsmanager", config=_BOUNDED)


@cache
def bedrock_runtime(region: str | None, endpoint_url: str | None) -> Any:
    """The client that asks models of Bedrock; the stack's own region where none is given.

    Nothing is repeated here: callers keep their own patience. A model may think for minutes, and many calls are open.
    """
    patient = _BOUNDED.merge(
        Config(read_timeout=900, max_pool_connections=64, retries={"mode": "standard", "total_max_attempts": 1})
    )
    return _session().client("bedrock-runtime", region_name=region, endpoint_url=endpoint_url, config=patient)


@cache
def bedrock(region: str | None = None) -> Any:
    """The client of Bedrock itself, which trains and deploys models; in the stack's own region where none is given."""
    return _session().client("bedrock", region_name=region, config=_BOUNDED)


@cache
def sagemaker() -> Any:
    """The client of SageMaker, which trains and serves models, in the stack's own region."""
    return _session().client("sagemaker", config=_BOUNDED)


@cache
def sagemaker_runtime_url(region: str | None) -> str:
    """The address at which SageMaker's endpoints of a region are asked; the stack's own region where none is given."""
    return str(_session().client("sagemaker-runtime", region_name=region).meta.endpoint_url)


@cache
def stepfunctions() -> Any:
    """The client of Step Functions, which makes the parts of large datasets."""
    return _session().client("stepfunctions", config=_BOUNDED)


@cache
def application_autoscaling() -> Any:
    """The client of Application Auto Scaling, which scales SageMaker's endpoints."""
    return _session().client("application-autoscaling", config=_BOUNDED)


@cache
def cloudwatch() -> Any:
    """The client of CloudWatch, whose alarms start a scaling."""
    return _session().client("cloudwatch", config=_BOUNDED)


def credentials() -> Any:
    """The credentials with which this function signs, as they are now. Raises NoCredentialsError without any."""
    found = _session().get_credentials()
    if found is None:
        raise NoCredentialsError
    return found.get_frozen_credentials()


def own_region() -> str:
    """The region that this function runs in."""
    return str(_session().region_name)


def is_busy(error: Exception) -> bool:
    """Whether AWS throttled the call or failed itself, in all of botocore's attempts, so that it may work later."""
    if not isinstance(error, ClientError):
        return False
    return (
        error.response["Error"]["Code"] in _THROTTLED
        or error.response["ResponseMetadata"]["HTTPStatusCode"] >= _SERVER_ERROR
    )


@cache
def secret(arn: str) -> str:
    """The secret's string, read once per process."""
    return secretsmanager().get_secret_value(SecretId=arn)["SecretString"]
