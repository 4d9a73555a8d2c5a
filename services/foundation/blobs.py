"""S3: bodies in and out of the one bucket.

Keys are relative to the bucket. A missing object is None or `KeyError`-free False where the name says so;
every other failure is botocore's exception.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import batched, chain
from typing import Any

from botocore.exceptions import ClientError

from foundation import aws
from foundation.errors import RetryLater
from foundation.settings import settings

_DELETE_BATCH = 1000
_PART_BYTES = 5 * 1024 * 1024  # the least that S3 takes
_READ_BYTES = 1024 * 1024
_NOT_FOUND = 404


def put(key: str, body: bytes, *, content_type: str = "application/octet-stream") -> None:
    aws.s3().put_object(Bucket=settings().BUCKET, Key=key, Body=body, ContentType=content_type)


def put_new(key: str, body: bytes, *, content_type: str = "application/octet-stream") -> bool:
    """Write the object unless the key exists; True if this call wrote it."""
    try:
        aws.s3().put_object(Bucket=settings().BUCKET, Key=key, Body=body, ContentType=content_type, IfNoneMatch="*")
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] in {409, 412}:
            return False
        raise
    return True


def put_new_lines(key: str, lines: Iterable[bytes], *, content_type: str = "application/octet-stream") -> bool:
    """Write the lines one after the other unless the key exists or there are none; True if this call wrote them.

    They are held in memory 5 MiB at a time. Parts of an upload that broke off are removed by the bucket's lifecycle.
    """
    parts = _parts(lines)
    first = next(parts, b"")
    if len(first) < _PART_BYTES:
        return bool(first) and put_new(key, first, content_type=content_type)
    where: Any = {"Bucket": settings().BUCKET, "Key": key}
    upload = aws.s3().create_multipart_upload(**where, ContentType=content_type)["UploadId"]
    done: list[Any] = []
    for number, part in enumerate(chain([first], parts), start=1):
        answer = aws.s3().upload_part(**where, UploadId=upload, PartNumber=number, Body=part)
        done.append({"PartNumber": number, "ETag": answer["ETag"]})
    try:
        aws.s3().complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": done}, IfNoneMatch="*")
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] in {409, 412}:
            return False
        raise
    return True


def _parts(lines: Iterable[bytes]) -> Iterator[bytes]:
    part = bytearray()
    for line in lines:
        part += line
        if len(part) >= _PART_BYTES:
            yield bytes(part)
            part.clear()
    if part:
        yield bytes(part)


def exists(key: str) -> bool:
    try:
        aws.s3().head_object(Bucket=settings().BUCKET, Key=key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == _NOT_FOUND:
            return False
        raise
    return True


def get(key: str, *, offset: int | None = None, length: int | None = None) -> bytes:
    """The object, or `length` bytes from `offset`."""
    if offset is None:
        answer = aws.s3().get_object(Bucket=settings().BUCKET, Key=key)
    elif length == 0:
        return b""
    else:
        last = "" if length is None else offset + length - 1
        answer = aws.s3().get_object(Bucket=settings().BUCKET, Key=key, Range=f"bytes={offset}-{last}")
    return answer["Body"].read()


def find(key: str) -> bytes | None:
    """The object, or None where there is none."""
    try:
        return get(key)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
            return None
        raise


def raw_lines(key: str) -> Iterator[bytes] | None:
    """The lines of an object with their ends, streamed, empty ones too; None where there is no object."""
    try:
        body = aws.s3().get_object(Bucket=settings().BUCKET, Key=key)["Body"]
    except ClientError as error:
        if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
            return None
        raise
    return _split(body.iter_chunks(_READ_BYTES))


def _split(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in filter(None, chunks):
        # The last one may go on, or end with the first half of CR LF.
        *whole, rest = (rest + chunk).splitlines(keepends=True)
        yield from whole
    if rest:
        yield rest


def lines(key: str) -> Iterator[bytes]:
    """The lines of an object, streamed, without their ends."""
    body = aws.s3().get_object(Bucket=settings().BUCKET, Key=key)["Body"]
    for line in body.iter_lines():
        if line:
            yield line


def delete(doomed: Iterable[str]) -> None:
    """Delete these objects, a thousand a call; one that is not there is no error."""
    for some in batched(doomed, _DELETE_BATCH, strict=False):
        named: list[Any] = [{"Key": key} for key in some]
        answer = aws.s3().delete_objects(Bucket=settings().BUCKET, Delete={"Objects": named, "Quiet": True})
        if answer.get("Errors"):
            raise RetryLater(f"S3 left {len(answer['Errors'])} objects undeleted")


def keys(prefix: str) -> Iterator[str]:
    paginator = aws.s3().get_paginator("list_objects_v2")
    for page in paginator.paginate(Bucket=settings().BUCKET, Prefix=prefix):
        for entry in page.get("Contents", []):
            yield entry["Key"]
