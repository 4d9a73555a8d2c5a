"""Read and write the objects of the stack's one S3 bucket.

Keys are relative to the bucket. `find` and `raw_lines` return None for a missing object and `exists` returns False;
everything else that fails raises botocore's ClientError.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import batched, chain
from typing import Any

from botocore.exceptions import ClientError

from foundation import aws
from foundation.errors import ApiError, RetryLater
from foundation.settings import settings

_DELETE_BATCH = 1000
_PART_BYTES = 5 * 1024 * 1024  # S3 refuses smaller parts, but for the last
_READ_BYTES = 1024 * 1024
_NOT_FOUND = 404
LONGEST_LINE = 15_000_000
"""The most bytes of a line that is read. Parsed as JSON, a line takes about ten times as much memory."""


class LineTooLong(ApiError):
    """A line of an object has more bytes than `LONGEST_LINE`."""

    def __init__(self, number: int) -> None:
        super().__init__(f"Line {number} has more than {LONGEST_LINE} bytes.", code="line_too_long")


def put(key: str, body: bytes, *, content_type: str = "application/octet-stream") -> None:
    aws.s3().put_object(Bucket=settings().BUCKET, Key=key, Body=body, ContentType=content_type)


def put_new(key: str, body: bytes, *, content_type: str = "application/octet-stream") -> bool:
    """Write the object unless the key exists. Returns True if this call wrote it."""
    try:
        aws.s3().put_object(Bucket=settings().BUCKET, Key=key, Body=body, ContentType=content_type, IfNoneMatch="*")
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] in {409, 412}:
            return False
        raise
    return True


def put_new_lines(key: str, lines: Iterable[bytes], *, content_type: str = "application/octet-stream") -> bool:
    """Write the lines as one object unless the key exists or there are no lines. Returns True if this call wrote it.

    At most about 5 MiB are held in memory, or a line that is larger.
    """
    parts = _parts(lines)
    first = next(parts, b"")
    if len(first) < _PART_BYTES:
        return bool(first) and put_new(key, first, content_type=content_type)
    try:
        _upload(key, chain([first], parts), content_type, IfNoneMatch="*")
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] in {409, 412}:
            return False
        raise
    return True


def put_lines(key: str, lines: Iterable[bytes], *, content_type: str = "application/octet-stream") -> None:
    """Write the lines as one object over whatever is there, in as little memory as `put_new_lines`."""
    parts = _parts(lines)
    first = next(parts, b"")
    if len(first) < _PART_BYTES:
        put(key, first, content_type=content_type)
    else:
        _upload(key, chain([first], parts), content_type)


def _upload(key: str, parts: Iterable[bytes], content_type: str, **condition: Any) -> None:
    """Write an object part by part. If this breaks off, the bucket's lifecycle removes the parts."""
    where: Any = {"Bucket": settings().BUCKET, "Key": key}
    upload = aws.s3().create_multipart_upload(**where, ContentType=content_type)["UploadId"]
    done: list[Any] = []
    for number, part in enumerate(parts, start=1):
        answer = aws.s3().upload_part(**where, UploadId=upload, PartNumber=number, Body=part)
        done.append({"PartNumber": number, "ETag": answer["ETag"]})
    aws.s3().complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": done}, **condition)


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


def size(key: str) -> int:
    """How many bytes an object has."""
    return aws.s3().head_object(Bucket=settings().BUCKET, Key=key)["ContentLength"]


def get(key: str, *, offset: int | None = None, length: int | None = None) -> bytes:
    """The whole object, or `length` bytes of it from `offset`; without `length`, all from `offset` on."""
    if offset is None:
        return aws.s3().get_object(Bucket=settings().BUCKET, Key=key)["Body"].read()
    if length == 0:
        return b""
    last = "" if length is None else offset + length - 1
    try:
        return aws.s3().get_object(Bucket=settings().BUCKET, Key=key, Range=f"bytes={offset}-{last}")["Body"].read()
    except ClientError as error:
        # S3 has no range of no bytes. It says so of an object that is there: of another it says NoSuchKey.
        if length is None and error.response["Error"]["Code"] == "InvalidRange":
            return b""
        raise


def find(key: str, *, offset: int | None = None, length: int | None = None) -> bytes | None:
    """What `get` gives, or None if the key does not exist, or the object ends before `offset`."""
    try:
        return get(key, offset=offset, length=length)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"NoSuchKey", "404", "InvalidRange"}:
            return None
        raise


def raw_lines(key: str) -> Iterator[bytes] | None:
    """Stream the lines of an object, empty lines and line ends included; None if the key does not exist.

    Raises LineTooLong at the first line that has too many bytes.
    """
    try:
        body = aws.s3().get_object(Bucket=settings().BUCKET, Key=key)["Body"]
    except ClientError as error:
        if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
            return None
        raise
    return _split(body.iter_chunks(_READ_BYTES))


def _split(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest, number = b"", 1
    for chunk in filter(None, chunks):
        # The last line may continue in the next chunk, or the chunk may end between CR and LF.
        *whole, rest = (rest + chunk).splitlines(keepends=True)
        for line in whole:
            _check(number, line)
            yield line
            number += 1
        _check(number, rest)
    if rest:
        yield rest


def _check(number: int, line: bytes) -> None:
    if len(line) > LONGEST_LINE:
        raise LineTooLong(number)


def lines(key: str) -> Iterator[bytes]:
    """Stream the lines of an object without their line ends; empty lines are left out."""
    body = aws.s3().get_object(Bucket=settings().BUCKET, Key=key)["Body"]
    for line in body.iter_lines():
        if line:
            yield line


def delete(keys: Iterable[str]) -> None:
    """Delete these objects, a thousand a call. A missing object is no error; RetryLater if S3 leaves some undeleted."""
    for chunk in batched(keys, _DELETE_BATCH, strict=False):
        objects: list[Any] = [{"Key": key} for key in chunk]
        answer = aws.s3().delete_objects(Bucket=settings().BUCKET, Delete={"Objects": objects, "Quiet": True})
        if answer.get("Errors"):
            raise RetryLater(f"S3 left {len(answer['Errors'])} objects undeleted")


def keys(prefix: str) -> Iterator[str]:
    """Every key that starts with `prefix`, in S3's order, page by page."""
    paginator = aws.s3().get_paginator("list_objects_v2")
    for page in paginator.paginate(Bucket=settings().BUCKET, Prefix=prefix):
        for entry in page.get("Contents", []):
            yield entry["Key"]
