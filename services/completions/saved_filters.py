"""Saved filters: a filter with a name and fixed bounds in time, so that running it again selects from the same."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from completions.filters import Filter
from foundation.document import Document
from foundation.records import Record


class SavedFilterDocument(Document):
    """A saved filter as it is shown."""

    id: str
    object: Literal["filter"] = "filter"
    created_at: int
    """Seconds UTC."""
    name: str
    filter: dict[str, Any]
    """The conditions; those that were not given are left out."""


class SavedFilter(Record):
    """A named filter. What was pushed later, but made before its end, is selected too; what was deleted is not."""

    KIND: ClassVar[str] = "FILTER"
    NAME: ClassVar[str] = "filter"

    object: Literal["filter"] = "filter"
    name: str
    filter: Filter

    def public(self) -> SavedFilterDocument:
        return SavedFilterDocument(
            id=self.id, created_at=self.created_at, name=self.name, filter=self.filter.model_dump(exclude_defaults=True)
        )
