"""API keys: `sk-sh-<id>-<secret>`, kept as SHA-256, with scopes.

The deploy makes the first one: a secret whose hash enters the table at its first use. Afterwards the table alone
decides, so that revoking the row ends the key. Raises Unauthorized or Forbidden in OpenAI's shape.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import NamedTuple

from foundation import aws, table
from foundation.errors import Forbidden, Unauthorized
from foundation.settings import settings

SCOPES = frozenset({"capture", "infer", "read", "write", "admin"})
_FIRST = "first"
_PREFIX = "sk-sh-"
_TRUSTED_SECONDS = 60
_trusted: dict[str, tuple[float, Key]] = {}


class Key(NamedTuple):
    """A caller."""

    id: str
    scopes: frozenset[str]


def check(authorization: str | None, scope: str) -> Key:
    """The caller behind an Authorization header, if it may do what `scope` names."""
    key = _known(authorization)
    if scope not in key.scopes and "admin" not in key.scopes:
        raise Forbidden(f"This key lacks the scope '{scope}'.", code="insufficient_permissions", param="Authorization")
    return key


def _known(authorization: str | None) -> Key:
    token = (authorization or "").removeprefix("Bearer ").strip()
    key_id, _, secret = token.removeprefix(_PREFIX).partition("-")
    if not token.startswith(_PREFIX) or not key_id or not secret:
        raise Unauthorized(
            "No API key was given. Send 'Authorization: Bearer sk-sh-…'; the deploy made the first key, which "
            "is in the secret that the stack's output FirstKeySecretArn names.",
            code="invalid_api_key",
            param="Authorization",
        )
    digest = hashlib.sha256(token.encode()).hexdigest()
    until, key = _trusted.get(digest, (0.0, Key("", frozenset())))
    if time.monotonic() < until:
        return key
    key = _stored(key_id, digest)
    _trusted[digest] = time.monotonic() + _TRUSTED_SECONDS, key
    return key


def _stored(key_id: str, digest: str) -> Key:
    row = table.get("KEY", key_id)
    if row is None and key_id == _FIRST:
        first = aws.secret(settings().FIRST_KEY_SECRET_ARN)
        expected = hashlib.sha256(f"{_PREFIX}{_FIRST}-{first}".encode()).hexdigest()
        table.put_new({"pk": "KEY", "sk": _FIRST, "sha256": expected, "scopes": "admin"})
        row = table.get("KEY", key_id)
    if row is None or row.get("revoked") or not hmac.compare_digest(row["sha256"], digest):
        raise Unauthorized("This API key is not valid.", code="invalid_api_key", param="Authorization")
    return Key(key_id, frozenset(row["scopes"].split()))
