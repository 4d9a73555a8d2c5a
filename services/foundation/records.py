"""Objects of the API as rows of the table. Each kind is a pydantic model that derives from `Record`.

A record has two rows: its own under the keys `(KIND, id)`, and its entry in a list under
`(LIST#KIND[#parent], created_at#id)`. Strings, integers, booleans and null are attributes of the row, so that
conditions can name them; every other value is stored as JSON text, because DynamoDB has no floats.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, ClassVar, NamedTuple, Self

import orjson
from pydantic import BaseModel, ConfigDict

from foundation import table
from foundation.errors import NotFound, TooLarge
from foundation.table import Row

_JSON = "json:"
_KEY = frozenset({"pk", "sk"})
_AT_ONCE = 100
_LONGEST_ROW = 256 * 1024
"""The most bytes that a caller can fill a row with. DynamoDB takes 400 KB; fields that are set later need the rest."""


def encode(value: Any) -> Any:
    """A JSON value as the value of an attribute; models in it count as their JSON."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str) and not value.startswith(_JSON):
        return value
    return _JSON + orjson.dumps(value, default=_as_json).decode()


def _as_json(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError


def decode(value: Any) -> Any:
    """The inverse of `encode`."""
    if isinstance(value, str) and value.startswith(_JSON):
        return orjson.loads(value.removeprefix(_JSON))
    return value


class Page[Item](NamedTuple):
    """A page of a list, and whether more follow."""

    data: list[Item]
    has_more: bool


class Record(BaseModel):
    """An object of the API. `KIND` names its rows, error messages call it `NAME`; `created_at` is in seconds."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    KIND: ClassVar[str]
    NAME: ClassVar[str]

    id: str
    created_at: int

    def parent(self) -> str:
        """The id of the object whose list has this one as an entry; empty if there is one list for the whole kind."""
        return ""

    @classmethod
    def from_row(cls, row: Row) -> Self:
        return cls.model_validate({name: decode(value) for name, value in row.items() if name not in _KEY})

    @classmethod
    def find(cls, record_id: str) -> Self | None:
        """The record with this id, or None."""
        row = table.get(cls.KIND, record_id)
        return cls.from_row(row) if row else None

    @classmethod
    def load(cls, record_id: str, *, param: str = "id") -> Self:
        """The record with this id. Raises NotFound, whose `param` is the name of the field that held the id."""
        record = cls.find(record_id)
        if record is None:
            raise NotFound(cls.NAME, record_id, param=param)
        return record

    def create(self) -> bool:
        """Write both rows unless the record exists. Returns True if this call wrote it.

        Calling it again after a crash between the two rows writes the missing one. Raises TooLarge naming the largest
        field of a record that fits into no row.
        """
        fields = {name: encode(value) for name, value in self.model_dump(mode="json").items()}
        _refuse_large(fields)
        wrote = table.put_new({"pk": self.KIND, "sk": self.id, **fields})
        # A repeated call has a later `created_at`; with that the list would get a second entry.
        stored = self if wrote else type(self).load(self.id)
        table.put({"pk": _list_key(type(self), stored.parent()), "sk": _list_place(stored), "id": self.id})
        return wrote

    def change(
        self,
        changes: Mapping[str, Any],
        *,
        where: Mapping[str, Any] | None = None,
        condition: str | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> bool:
        """Set attributes if `where` and `condition` hold (see `table.update`). Returns False if they do not.

        Raises TooLarge naming the largest change where the row would be too large with them.
        """
        fields = {name: encode(value) for name, value in changes.items()}
        held = {name: encode(value) for name, value in (where or {}).items()}
        try:
            return table.update(self.KIND, self.id, fields, where=held, condition=condition, values=values)
        except TooLarge as error:
            sizes = _sizes(fields)
            raise TooLarge(error.message, code=error.code, param=max(sizes, key=lambda name: sizes[name])) from error

    def remove(self) -> None:
        """Delete both rows, the entry in the list first."""
        table.delete(_list_key(type(self), self.parent()), _list_place(self))
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
            cursor = _list_place(last)
        records = cls._listed(_list_key(cls, parent), cursor, at_once=limit + 1, descending=descending)
        data = list(islice(records, limit + 1))
        return Page(data[:limit], has_more=len(data) > limit)

    @classmethod
    def _listed(cls, pk: str, cursor: str | None, *, at_once: int, descending: bool) -> Iterator[Self]:
        """The records of a list behind the entry `cursor`. An entry whose record is lost is skipped."""
        while True:
            entries = list(
                table.query(
                    pk,
                    after=None if descending else cursor,
                    before=cursor if descending else None,
                    descending=descending,
                    limit=at_once,
                )
            )
            keys = [(cls.KIND, entry["id"]) for entry in entries]
            rows = table.get_all(keys)
            yield from (cls.from_row(rows[key]) for key in keys if key in rows)
            if len(entries) < at_once:
                return
            cursor = entries[-1]["sk"]

    @classmethod
    def every(cls, *, parent: str = "", after: str | None = None, descending: bool = False) -> Iterator[Self]:
        """Every record of the list, or those behind the one with id `after`, read page by page on demand."""
        while True:
            page = cls.page(parent=parent, after=after, limit=_AT_ONCE, descending=descending)
            yield from page.data
            if not page.has_more or not page.data:
                return
            after = page.data[-1].id


def _refuse_large(fields: Mapping[str, Any]) -> None:
    sizes = _sizes(fields)
    size = sum(sizes.values())
    if size > _LONGEST_ROW:
        largest = max(sizes, key=lambda name: sizes[name])
        raise TooLarge(
            f"Invalid '{largest}': it has {sizes[largest]} of {size} bytes, and at most {_LONGEST_ROW} are kept.",
            code="object_too_large",
            param=largest,
        )


def _sizes(fields: Mapping[str, Any]) -> dict[str, int]:
    """How many bytes each field takes in its row."""
    return {name: len(str(value).encode()) for name, value in fields.items()}


def _list_key(kind: type[Record], parent: str) -> str:
    return f"LIST#{kind.KIND}#{parent}" if parent else f"LIST#{kind.KIND}"


def _list_place(record: Record) -> str:
    return f"{record.created_at:010d}#{record.id}"
