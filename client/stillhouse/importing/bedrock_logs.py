"""Where Bedrock's invocation logs lie: a prefix of a bucket, or a local copy of it.

In: `s3://bucket/prefix`, read with the AWS credentials of the environment, or a folder. Out: a source. Large bodies
lie under `data/` beside the logs and are fetched for the record that names them, only from the same bucket or folder.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

from stillhouse.importing import bedrock
from stillhouse.importing.files import FileSource, LocalFolder
from stillhouse.importing.source import Unmapped
from stillhouse.importing.stopped import Stopped

_BODIES = "data"


def source(place: str) -> FileSource:
    """Raises Stopped where the place makes no sense, or boto3 is missing."""
    folder: _Bucket | _Copy = _Bucket(place) if place.startswith("s3://") else _Copy(Path(place))
    identity = {"source": bedrock.ORIGIN, "place": place if isinstance(folder, _Bucket) else str(folder.path)}
    return FileSource(folder, lambda row, _: bedrock.record_of(row, folder.body_at), identity)


def _is_log(name: str) -> bool:
    path = PurePosixPath(name)
    return path.name.endswith((".gz", ".json", ".jsonl")) and path.parent.name != _BODIES


def _json(body: bytes) -> Any:
    return json.loads(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)


class _Bucket:
    """The objects under a prefix. Their total size is not known, since all of them would have to be listed first."""

    total = None

    def __init__(self, place: str) -> None:
        # Imported here: boto3 is an optional dependency of the client.
        try:
            import boto3
            from botocore.exceptions import BotoCoreError, ClientError
        except ModuleNotFoundError:
            raise Stopped("reading from S3 needs boto3: pip install boto3") from None
        parts = urlsplit(place)
        self._bucket, self._prefix = parts.netloc, parts.path.lstrip("/")
        self.errors: tuple[type[Exception], ...] = (BotoCoreError, ClientError)
        self._s3 = boto3.client("s3")
        self.position = 0

    def names(self, since: str | None) -> Iterator[str]:
        if since is not None:
            yield since
        listing = self._s3.get_paginator("list_objects_v2")
        pages = listing.paginate(Bucket=self._bucket, Prefix=self._prefix, StartAfter=since or "")
        try:
            for page in pages:
                yield from (entry["Key"] for entry in page.get("Contents", ()) if _is_log(entry["Key"]))
        except self.errors as error:
            raise Stopped(f"s3://{self._bucket}: {error}") from None

    def open(self, name: str) -> BinaryIO:
        try:
            log = self._s3.get_object(Bucket=self._bucket, Key=name)
        except self.errors as error:
            raise Stopped(f"s3://{self._bucket}/{name}: {error}") from None
        self.position += int(log["ContentLength"])
        return cast("BinaryIO", log["Body"])

    def body_at(self, path: str) -> Any:
        parts = urlsplit(path)
        # A log is data: it does not decide what else is read with the user's credentials.
        if parts.netloc != self._bucket:
            raise Unmapped("a large body in another bucket")
        try:
            return _json(self._s3.get_object(Bucket=self._bucket, Key=parts.path.lstrip("/"))["Body"].read())
        except self.errors:
            raise Unmapped("a large body that cannot be read") from None


class _Copy(LocalFolder):
    """What `aws s3 sync` made of a prefix: the end of an S3 path is a path below the folder."""

    def wanted(self, name: str) -> bool:
        return _is_log(name)

    def body_at(self, path: str) -> Any:
        parts = PurePosixPath(urlsplit(path).path.lstrip("/")).parts
        for start in range(len(parts)):
            place = self.root.joinpath(*parts[start:])
            if ".." not in parts and place.is_file():
                return _json(place.read_bytes())
        raise Unmapped("a large body that is not in this folder")
