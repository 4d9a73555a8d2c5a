"""An API key as the table keeps it and as the API shows it.

`keys` checks a request's key without this module, because pydantic would cost every cold start time.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from foundation.records import Record

_ADMIN = "admin"


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

    def public(self) -> dict[str, Any]:
        return {**self.model_dump(exclude={"sha256"}), "scopes": self.scopes.split()}

    @property
    def rules(self) -> bool:
        """Whether this key may create and revoke keys."""
        return self.revoked_at is None and _ADMIN in self.scopes.split()
