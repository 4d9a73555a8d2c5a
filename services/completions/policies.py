"""How long completions are kept: a filter and a number of days."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from completions.filters import Filter
from foundation import table
from foundation.records import Record

_SECONDS_A_DAY = 86_400
_SWEPT = "SWEPT"


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

    def expired(self, at: int, *, since: int = 0) -> Filter:
        """The filter of what is to be deleted at the time `at` and was made after `since`, failed calls included.

        Both are seconds since the epoch.
        """
        before = at - self.retention_days * _SECONDS_A_DAY
        return Filter(
            model=self.model, metadata=self.metadata, created_after=since, created_before=before, has_error=None
        )

    @property
    def swept_until(self) -> int:
        """What was made before this time, in seconds since the epoch, has been deleted, but for late pushes."""
        mark = table.get(_SWEPT, self.id)
        return int(mark["until"]) if mark else 0

    def mark(self, until: int) -> None:
        """Note that everything before this time has been deleted."""
        table.put({"pk": _SWEPT, "sk": self.id, "until": until})

    def remove(self) -> None:
        table.delete(_SWEPT, self.id)
        super().remove()
