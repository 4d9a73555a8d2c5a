"""Objects of S3 read, written, listed and deleted, from the method of boto3's client to moto's backend.

S3's requests and answers are headers and XML, so that moto has no action with parameters to call: what its action does
is done here, for a plain bucket and plain objects, as our code asks it. Whatever else is asked, or lies there, goes
botocore's way.
"""

from __future__ import annotations

import base64
import io
import re
import zlib
from datetime import UTC
from typing import Any

from botocore.response import StreamingBody
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import FakeBucket, FakeKey, S3Backend, s3_backends

OPERATIONS = frozenset({"DeleteObjects", "GetObject", "HeadObject", "ListObjectsV2", "PutObject"})
_NAME = re.compile(r"[\w.=#-][\w.=#/-]{0,200}")
_MOST_OF_A_PAGE = 1000
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_SENT = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}
"""What moto keeps of botocore's request to put an object, beside the type of what is in it."""

type Answer = tuple[dict[str, Any], int]


def answered(operation: str, parameters: dict[str, Any]) -> Answer | None:
    """The answer and its status, or None where botocore has to see the call."""
    backend: S3Backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    asked = dict(parameters)
    bucket = asked.pop("Bucket", None)
    if not _is_plain(backend, bucket):
        return None
    match operation:
        case "ListObjectsV2":
            return _listed(backend, bucket, asked)
        case "DeleteObjects":
            return _deleted(backend, bucket, asked)
    name = asked.pop("Key", None)
    if not _is_plain_name(name):
        return None
    return (
        _put(backend, bucket, name, asked)
        if operation == "PutObject"
        else _read(backend, bucket, name, operation, asked)
    )


def _is_plain(backend: S3Backend, name: Any) -> bool:
    """Whether a bucket changes nothing of what it keeps, and everybody may ask it."""
    bucket = backend.buckets.get(name) if isinstance(name, str) else None
    if type(bucket) is not FakeBucket or bucket.is_versioned:
        return False
    return not any((bucket.policy, bucket.encryption, bucket.object_lock_enabled, bucket.logging, bucket.cors))


def _is_plain_name(name: Any) -> bool:
    return isinstance(name, str) and bool(_NAME.fullmatch(name)) and "//" not in name


def _is_plain_object(found: FakeKey) -> bool:
    odd = (
        found.multipart,
        found.encryption,
        found.lock_mode,
        found.lock_legal_status,
        found.checksum_type,
        found._expiry,
    )
    plain = found.storage_class == "STANDARD" and found.version_id == "null" and not any(odd)
    return plain and found.metadata.keys() <= {"content-type", *_SENT} and found.checksum_algorithm in {None, "CRC32"}


def _put(backend: S3Backend, bucket: str, name: str, asked: dict[str, Any]) -> Answer | None:
    body, kind, condition = asked.pop("Body", None), asked.pop("ContentType", None), asked.pop("IfNoneMatch", None)
    if asked or not (isinstance(body, bytes) and isinstance(kind, str)) or condition not in {None, "*"}:
        return None
    if condition and backend.get_object(bucket, name) is not None:
        return _refused()
    checksum = base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
    made = backend.put_object(bucket, name, body, storage="STANDARD", checksum_value=checksum)
    made.set_metadata({"content-type": kind, **_SENT})
    made.set_acl(backend.buckets[bucket].acl)
    made.checksum_algorithm = "CRC32"
    backend.put_object_tagging(made, {})
    return {"ETag": made.etag, "ChecksumCRC32": checksum}, 200


def _read(backend: S3Backend, bucket: str, name: str, operation: str, asked: dict[str, Any]) -> Answer | None:
    found, is_head = backend.get_object(bucket, name), operation == "HeadObject"
    if asked.keys() > {"Range"} or (asked and is_head):
        return None
    if found is None:
        return _absent(name, is_head=is_head)
    if type(found) is not FakeKey or not _is_plain_object(found):
        return None
    return (_described(found), 200) if is_head else _got(found, asked)


def _listed(backend: S3Backend, bucket: str, asked: dict[str, Any]) -> Answer | None:
    prefix = asked.pop("Prefix", None)
    if asked or not (prefix == "" or _is_plain_name(prefix)):
        return None
    found, _, _, _ = backend.list_objects(backend.buckets[bucket], prefix, None, None, None)
    if len(found) > _MOST_OF_A_PAGE:
        return None
    answer = {
        "IsTruncated": False,
        "Name": bucket,
        "Prefix": prefix,
        "MaxKeys": _MOST_OF_A_PAGE,
        "EncodingType": "url",
        "KeyCount": len(found),
    }
    return {**answer, **({"Contents": [_entry(key) for key in found]} if found else {})}, 200


def _entry(found: FakeKey) -> dict[str, Any]:
    return {
        "Key": found.name,
        "LastModified": found.last_modified.replace(microsecond=0, tzinfo=UTC),
        "ETag": found.etag,
        "Size": found.size,
        "StorageClass": found.storage_class,
        **({"ChecksumAlgorithm": [found.checksum_algorithm]} if found.checksum_algorithm else {}),
    }


def _deleted(backend: S3Backend, bucket: str, asked: dict[str, Any]) -> Answer | None:
    objects = asked.pop("Delete").get("Objects")
    if asked or not objects or not all(o.keys() == {"Key"} and _is_plain_name(o["Key"]) for o in objects):
        return None
    backend.delete_objects(bucket, objects)
    return {"Deleted": [{"Key": each["Key"]} for each in objects]}, 200


def _got(found: FakeKey, asked: dict[str, Any]) -> Answer | None:
    content, described = found.value, _described(found)
    if not asked:
        checksum = {"ChecksumCRC32": found.checksum_value} if found.checksum_algorithm else {}
        return {**described, **checksum, "Body": StreamingBody(io.BytesIO(content), len(content))}, 200
    wanted = _RANGE.fullmatch(str(asked.pop("Range", "")))
    if asked or not wanted:
        return None
    first, last = int(wanted[1]), min(int(wanted[2] or len(content)), len(content) - 1)
    if first > last:
        return None
    part = content[first : last + 1]
    where = {"ContentRange": f"bytes {first}-{last}/{len(content)}", "ContentLength": len(part)}
    return {**described, **where, "Body": StreamingBody(io.BytesIO(part), len(part))}, 206


def _described(found: FakeKey) -> dict[str, Any]:
    return {
        "AcceptRanges": "bytes",
        "LastModified": found.last_modified.replace(microsecond=0, tzinfo=UTC),
        "ContentLength": found.size,
        "ETag": found.etag,
        "ContentType": found.metadata["content-type"],
        "Metadata": {},
    }


def _absent(name: str, *, is_head: bool) -> Answer:
    if is_head:
        return {"Error": {"Code": "404", "Message": "Not Found"}}, 404
    return {"Error": {"Code": "NoSuchKey", "Message": "The specified key does not exist.", "Key": name}}, 404


def _refused() -> Answer:
    said = "At least one of the pre-conditions you specified did not hold"
    return {"Error": {"Code": "PreconditionFailed", "Message": said, "Condition": "If-None-Match"}}, 412
