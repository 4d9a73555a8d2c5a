"""An API key as the table keeps it and as the API shows it.

`keys` checks a request's key without this module, because pydantic would cost every cold start time.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from foundation.document import Document
from foundation.records import Record
from foundation.routes import Scope

_ADMIN = "admin"


class KeyDocument(Document):
    """A key as its owner sees it: without the secret."""

    id: str
    object: Literal["key"] = "key"
    created_at: int
    """Seconds UTC."""
    name: str
    scopes: list[Scope]
    """What the key may do: `admin` may do everything."""
    store: bool | None
    """Whether the gateway captures this key's calls that do not say it themselves; null says nothing."""
    metadata: dict[str, str] | None
    """The tags of those captured calls that bring none of the same name."""
    fallback_model: str | None
    """The model that the gateway asks where the first one is busy, broken or silent."""
    revoked_at: int | None
    """Seconds UTC; null while the key is valid."""


class NewKeyDocument(KeyDocument):
    """A new key with its secret, which is shown this once."""

    key: str
    """What to send as `Authorization: Bearer`: `sk-sh-<id>-<secret>`."""


class ApiKey(Record):
    """One API key. `scopes` is one string of scopes separated by spaces; the key itself is kept as its SHA-256 only."""

    KIND: ClassVar[str] = "KEY"
    NAME: ClassVar[str] = "key"

    object: Literal["key"] = "key"
    name: str
    sha256: str
    scopes: str
    store: bool | None = None
    metadata: dict[str, str] | None = None
    fallback_model: str | None = None
    revoked_at: int | None = None

    def public(self) -> KeyDocument:
        return KeyDocument(**self._shown())

    def with_token(self, token: str) -> NewKeyDocument:
        return NewKeyDocument(key=token, **self._shown())

    def _shown(self) -> dict[str, Any]:
        return {**self.model_dump(exclude={"sha256"}), "scopes": self.scopes.split()}

    @property
    def rules(self) -> bool:
        """Whether this key may create and revoke keys."""
        return self.revoked_at is None and _ADMIN in self.scopes.split()
