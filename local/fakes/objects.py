"""What the fakes read from and write to S3: training lines, metrics, and the folder of a model's weights.

In: `s3://bucket/key`. Out: the bytes. Fails with `AwsError`: AWS refuses a job whose file its role cannot read.
"""

from __future__ import annotations

from typing import Any

import orjson
from botocore.exceptions import BotoCoreError, ClientError

from local.fakes.wire import AwsError

WEIGHTS = "lab-model.json"
"""What lies in a folder of weights here: the name of the lab's model, which has no other weights to give."""


def read(s3: Any, uri: str) -> bytes:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    try:
        body: bytes = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except (ClientError, BotoCoreError) as error:
        raise AwsError("ValidationException", f"The object {uri} cannot be read: {error}") from error
    return body


def write(s3: Any, uri: str, body: bytes) -> None:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    s3.put_object(Bucket=bucket, Key=key, Body=body)


def write_weights(s3: Any, folder: str, model: str) -> None:
    write(s3, f"{folder.rstrip('/')}/{WEIGHTS}", orjson.dumps({"model": model}))


def read_weights(s3: Any, folder: str) -> str:
    model: str = orjson.loads(read(s3, f"{folder.rstrip('/')}/{WEIGHTS}"))["model"]
    return model
