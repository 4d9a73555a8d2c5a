"""An API key as the table keeps it, and as its owner sees it. Whoever only checks keys does without (`keys`)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from foundation.records import Record

_ADMIN = "admin"


class ApiKey(Record):
    """A key's row; `scopes` are separated by spaces."""

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
        """Whether it may make and revoke keys."""
        return self.revoked_at is None and _ADMIN in self.scopes.split()
