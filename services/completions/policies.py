"""How long completions are kept: a filter and a number of days."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from completions.filters import Filter
from foundation.records import Record

_SECONDS_A_DAY = 86_400


class RetentionPolicy(Record):
    """Deletes the completions of this model and with these tags `retention_days` days after they were made.

    `all` is true if the policy covers every completion.
    """

    KIND: ClassVar[str] = "RETENTION"
    NAME: ClassVar[str] = "retention policy"

    object: Literal["retention_policy"] = "retention_policy"
    retention_days: int
    """After how many days completions are deleted."""
    model: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    all: bool = False

    def expired(self, at: int) -> Filter:
        """The filter of what is to be deleted at the time `at` (seconds since the epoch), failed calls included."""
        before = at - self.retention_days * _SECONDS_A_DAY
        return Filter(model=self.model, metadata=self.metadata, created_before=before, has_error=None)
