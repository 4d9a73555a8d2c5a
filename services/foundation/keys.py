"""API keys: `sk-sh-<id>-<secret>`, kept as SHA-256, with scopes and defaults for the capture of gateway calls.

`exchanged` gives a key of the same scopes that ends by itself, for a browser: whoever reads it there does not have the
key that it was made from, and it ends with that key.

The deploy makes the first key, as a secret of Secrets Manager; its hash is written to the table when the key is first
used. From then on only the table counts: a revoked key keeps its row, and stops working in this process at once and in
others within a minute. `check` raises Unauthorized or Forbidden in OpenAI's shape. Functions that only check keys do
not import `api_keys`, the model of a key's row: it brings pydantic, which every cold start would pay for.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from foundation import aws, lease, table
from foundation.errors import Conflict, Forbidden, Unauthorized
from foundation.ids import new_id, now
from foundation.routes import Scope
from foundation.settings import settings

if TYPE_CHECKING:
    from foundation.api_keys import ApiKey

_ADMIN = "admin"
_FIRST = "first"
_KIND = "KEY"
_PREFIX = "sk-sh-"
_SECRET_BYTES = 20
_REMEDY = (
    "Send 'Authorization: Bearer sk-sh-…'; the deploy made the first key, which is in the secret that the stack's "
    "output FirstKeySecretArn names."
)
_TRUSTED_SECONDS = 60
_SESSION = "session_"
_SESSIONS = "SESSION"
_trusted: dict[str, tuple[float, Key]] = {}


class Key(NamedTuple):
    """A caller, and the defaults for its calls through the gateway: whether they are stored, tags, fallback model."""

    id: str
    scopes: frozenset[str]
    store: bool | None = None
    metadata: dict[str, str] | None = None
    fallback_model: str | None = None
    parent: str | None = None
    """Of a session, the key that it was made from."""

    @property
    def holder(self) -> str:
        """The id by which people know who calls: that of the key, also where a session of it calls."""
        return self.parent or self.id


class Session(NamedTuple):
    """A key that ends by itself: its token, and what it may do."""

    token: str
    scopes: frozenset[str]


def create(*, scopes: list[Scope], **fields: Any) -> tuple[ApiKey, str]:
    """A new key, and the token that nobody can read again."""
    from foundation.api_keys import ApiKey

    # A key's id ends at the first dash of its token; ULIDs have none.
    key_id = new_id("key_")
    token = f"{_PREFIX}{key_id}-{secrets.token_hex(_SECRET_BYTES)}"
    key = ApiKey(id=key_id, created_at=now(), sha256=_digest(token), scopes=" ".join(scopes), **fields)
    key.create()
    return key, token


def exchanged(authorization: str | None, *scopes: str, seconds: int) -> Session:
    """A new session: a key with the scopes of the caller's own that ends after so many seconds or with it.

    It stands in no list of keys, and makes no other session. Raises as `check` does.
    """
    parent = check(authorization, *scopes)
    if parent.id.startswith(_SESSION):
        raise Unauthorized(f"A session makes no other one. {_REMEDY}", code="invalid_api_key", param="Authorization")
    session_id = new_id(_SESSION)
    token = f"{_PREFIX}{session_id}-{secrets.token_hex(_SECRET_BYTES)}"
    row = {"sha256": _digest(token), "scopes": " ".join(sorted(parent.scopes)), "parent": parent.id}
    table.put({"pk": _SESSIONS, "sk": session_id, **row, "expires": now() + seconds})
    return Session(token, parent.scopes)


def end_session(token: str) -> None:
    """End a session at once in this process, and in others within a minute. Any other key stays as it is."""
    session_id, _, _ = token.removeprefix(_PREFIX).partition("-")
    row = table.get(_SESSIONS, session_id)
    if row is not None and hmac.compare_digest(row["sha256"], _digest(token)):
        table.delete(_SESSIONS, session_id)
    _trusted.pop(_digest(token), None)


def revoke(key_id: str, context: Any) -> None:
    """Revoke a key; a revoked one stays so. Raises NotFound, or Conflict for the last key with the scope `admin`."""
    from foundation.api_keys import ApiKey

    # Without the lease, two admin keys that revoke each other at the same time would leave none.
    with lease.held("KEYS", "REVOKE", context):
        key = ApiKey.load(key_id, param="key_id")
        if key.rules and not any(other.rules for other in ApiKey.every() if other.id != key_id):
            raise Conflict(
                "This is the last key with the scope 'admin'. Create another one first.", code="last_admin_key"
            )
        key.change({"revoked_at": now()}, where={"revoked_at": None})
    _trusted.pop(key.sha256, None)


def given(headers: Mapping[str, str]) -> str | None:
    """The Authorization header of a request, or what its header `api-key` says, which clients of Azure OpenAI send.

    `headers` has them by lower-case name.
    """
    azure = headers.get("api-key")
    return headers.get("authorization") or (f"Bearer {azure}" if azure else None)


def check(authorization: str | None, *scopes: str) -> Key:
    """The caller behind an Authorization header, if it may do what one of the `scopes` names."""
    key = _known(authorization)
    if not key.scopes & {*scopes, _ADMIN}:
        lacking = " or ".join(f"'{scope}'" for scope in scopes)
        raise Forbidden(f"This key lacks the scope {lacking}.", code="insufficient_permissions", param="Authorization")
    return key


def _known(authorization: str | None) -> Key:
    scheme, _, token = (authorization or "").strip().partition(" ")
    token = token.strip()
    key_id, _, secret = token.removeprefix(_PREFIX).partition("-")
    if scheme.lower() != "bearer" or not token.startswith(_PREFIX) or not key_id or not secret:
        wrong = _wrong(scheme.lower(), token)
        raise Unauthorized(f"{wrong} {_REMEDY}", code="invalid_api_key", param="Authorization")
    digest = _digest(token)
    until, key = _trusted.get(digest, (0.0, Key("", frozenset())))
    if time.monotonic() < until:
        return key
    key = _stored(key_id, digest)
    _trusted[digest] = time.monotonic() + _TRUSTED_SECONDS, key
    return key


def _wrong(scheme: str, token: str) -> str:
    """What is wrong with an Authorization header. Nothing of it is repeated: it may be a secret of somebody else."""
    if not scheme or (scheme == "bearer" and not token):
        return "No API key was given."
    if scheme != "bearer":
        return "The Authorization header does not begin with 'Bearer'."
    if not token.startswith(_PREFIX):
        return (
            "This is no key of Stillhouse, whose keys begin with 'sk-sh-': a model provider's key does not work here."
        )
    return "This API key is not whole."


def _stored(key_id: str, digest: str) -> Key:
    row = table.get(_SESSIONS if key_id.startswith(_SESSION) else _KIND, key_id)
    if row is None and key_id == _FIRST:
        _create_first()
        row = table.get(_KIND, key_id)
    if row is None or not _holds(row) or not hmac.compare_digest(row["sha256"], digest):
        raise Unauthorized("This API key is not valid.", code="invalid_api_key", param="Authorization")
    return Key(
        key_id,
        frozenset(row["scopes"].split()),
        store=row.get("store"),
        metadata=_tags(row),
        fallback_model=row.get("fallback_model"),
        parent=row.get("parent"),
    )


def _holds(row: table.Row) -> bool:
    """Whether a key is not revoked, or a session has not ended by itself or with its key."""
    if "parent" not in row:
        return row.get("revoked_at") is None
    # DynamoDB deletes what has expired within days, not at once.
    parent = table.get(_KIND, row["parent"]) if row["expires"] > now() else None
    return parent is not None and parent.get("revoked_at") is None


def _create_first() -> None:
    from foundation.api_keys import ApiKey

    expected = _digest(f"{_PREFIX}{_FIRST}-{aws.secret(settings().FIRST_KEY_SECRET_ARN)}")
    ApiKey(id=_FIRST, created_at=now(), name=_FIRST, sha256=expected, scopes=_ADMIN).create()


def _tags(row: table.Row) -> dict[str, str] | None:
    if row.get("metadata") is None:
        return None
    # Imported here: it brings pydantic, and most keys have no tags.
    from foundation.records import decode

    tags: dict[str, str] = decode(row["metadata"])
    return tags


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
