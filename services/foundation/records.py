"""API objects in the table: each a pydantic model, a row of its own, and a place in its list.

A record's row is `(KIND, id)`; its place is `(LIST#KIND[#parent], created_at#id)`. Scalars are attributes, so
that conditions can name them; everything else is JSON text, since DynamoDB has no floats.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, NamedTuple, Self

import orjson
from pydantic import BaseModel, ConfigDict

from foundation import table
from foundation.errors import NotFound
from foundation.table import Row

_JSON = "json:"
_KEY = frozenset({"pk", "sk"})
_AT_ONCE = 100


def encode(value: Any) -> Any:
    """A JSON value as an attribute."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str) and not value.startswith(_JSON):
        return value
    return _JSON + orjson.dumps(value).decode()


def decode(value: Any) -> Any:
    """The inverse of `encode`."""
    if isinstance(value, str) and value.startswith(_JSON):
        return orjson.loads(value.removeprefix(_JSON))
    return value


class Page[Item](NamedTuple):
    """A page of a list, in the asked order."""

    data: list[Item]
    has_more: bool


class Record(BaseModel):
    """An API object as the table keeps it."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    KIND: ClassVar[str]
    NAME: ClassVar[str]

    id: str
    created_at: int

    def parent(self) -> str:
        """The id of the object in whose list this one stands; empty for a list of its own."""
        return ""

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls.model_validate({name: decode(value) for name, value in row.items() if name not in _KEY})

    @classmethod
    def find(cls, record_id: str) -> Self | None:
        row = table.get(cls.KIND, record_id)
        return cls.from_row(row) if row else None

    @classmethod
    def load(cls, record_id: str, *, param: str = "id") -> Self:
        """Raises NotFound naming `param`."""
        found = cls.find(record_id)
        if found is None:
            raise NotFound(cls.NAME, record_id, param=param)
        return found

    def create(self) -> bool:
        """Write it unless it exists; True if this call wrote it. Doing it again completes a broken write."""
        fields = {name: encode(value) for name, value in self.model_dump(mode="json").items()}
        wrote = table.put_new({"pk": self.KIND, "sk": self.id, **fields})
        # A repetition comes with a later clock: the place is the first one's, or the list would show it twice.
        listed = self if wrote else type(self).load(self.id)
        table.put({"pk": _list_key(type(self), listed.parent()), "sk": _place(listed), "id": self.id})
        return wrote

    def change(
        self,
        changes: Mapping[str, Any],
        *,
        where: Mapping[str, Any] | None = None,
        condition: str | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set attributes if `where` and `condition` hold; False if they do not."""
        return table.update(
            self.KIND,
            self.id,
            {name: encode(value) for name, value in changes.items()},
            where={name: encode(value) for name, value in (where or {}).items()},
            condition=condition,
            values=values,
        )

    def remove(self) -> None:
        """Delete it, its place in the list first."""
        table.delete(_list_key(type(self), self.parent()), _place(self))
        table.delete(self.KIND, self.id)

    @classmethod
    def page(
        cls, *, parent: str = "", after: str | None = None, limit: int = 20, descending: bool = False
    ) -> Page[Self]:
        """A page of the list, oldest first unless `descending`. An unknown `after` gives an empty page."""
        cursor = None
        if after is not None:
            last = cls.find(after)
            if last is None:
                return Page([], has_more=False)
            cursor = _place(last)
        found = table.query(
            _list_key(cls, parent),
            after=None if descending else cursor,
            before=cursor if descending else None,
            descending=descending,
            limit=limit + 1,
        )
        places = list(found)
        rows = table.get_all((cls.KIND, place["id"]) for place in places[:limit])
        data = [
            cls.from_row(rows[cls.KIND, place["id"]]) for place in places[:limit] if (cls.KIND, place["id"]) in rows
        ]
        return Page(data, has_more=len(places) > limit)

    @classmethod
    def every(cls, *, parent: str = "", after: str | None = None, descending: bool = False) -> Iterator[Self]:
        """The whole list behind `after`, lazily."""
        while True:
            page = cls.page(parent=parent, after=after, limit=_AT_ONCE, descending=descending)
            yield from page.data
            if not page.has_more or not page.data:
                return
            after = page.data[-1].id


def _list_key(kind: type[Record], parent: str) -> str:
    return f"LIST#{kind.KIND}#{parent}" if parent else f"LIST#{kind.KIND}"


def _place(record: Record) -> str:
    return f"{record.created_at:010d}#{record.id}"
