"""How long completions are kept: a filter and a number of days."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import Field

from completions.filters import Filter
from foundation.records import Record

_SECONDS_A_DAY = 86_400
_AT_ONCE = 100


class RetentionPolicy(Record):
    """Completions of this model and with these tags are deleted this many days after they were made."""

    KIND: ClassVar[str] = "RETENTION"
    NAME: ClassVar[str] = "retention policy"

    object: Literal["retention_policy"] = "retention_policy"
    retention_days: int
    model: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)

    def expired(self, at: int) -> Filter:
        """What it deletes at this moment (seconds): failed calls too."""
        before = at - self.retention_days * _SECONDS_A_DAY
        return Filter(model=self.model, metadata=self.metadata, created_before=before, has_error=None)

    def public(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


def policies() -> Iterator[RetentionPolicy]:
    """Every policy."""
    after = None
    while True:
        page = RetentionPolicy.page(after=after, limit=_AT_ONCE)
        yield from page.data
        if not page.has_more:
            return
        after = page.data[-1].id
