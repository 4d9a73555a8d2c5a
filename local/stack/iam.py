"""Enforced permissions: with `STILLHOUSE_ENFORCE_IAM=1` the emulator refuses what the template's policies do not allow.

It proves that the policies suffice, not that AWS would refuse the same.
"""

from __future__ import annotations

import os

from local.stack import aws


def enforced() -> bool:
    return os.environ.get("STILLHOUSE_ENFORCE_IAM", "") == "1"


def admit_plain_http(endpoint_url: str, bucket: str) -> None:
    """Lifts the bucket's refusal of unencrypted transport: here everything is plain HTTP on loopback."""
    aws.client("s3", endpoint_url).delete_bucket_policy(Bucket=bucket)
