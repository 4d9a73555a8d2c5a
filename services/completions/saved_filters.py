"""Saved filters: a filter with a name and fixed bounds in time, so that running it again selects from the same."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from completions.filters import Filter
from foundation.records import Record


class SavedFilter(Record):
    """A named filter. What was pushed later, but made before its end, is selected too; what was deleted is not."""

    KIND: ClassVar[str] = "FILTER"
    NAME: ClassVar[str] = "filter"

    object: Literal["filter"] = "filter"
    name: str
    filter: Filter

    def public(self) -> dict[str, Any]:
        return {**self.model_dump(mode="json"), "filter": self.filter.model_dump(mode="json", exclude_defaults=True)}
