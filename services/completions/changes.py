"""Edits and deletions of captured completions, stored in the order of the completions that they change.

In: edited metadata or the deletion of a completion. Out: the changes of a minute, for lists that walk through time in
either direction. They are kept by day, since they are few: a day without changes costs such a walk one read.

    X#<day>              / <minute>#<id>         edited metadata, or `gone`
    C#<id>               / ~GONE                 its deletion, found by the id alone
    ERASE#<shard>        / <at>#<minute>#<id>    a deletion whose bytes are still to be erased
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import orjson

from completions.postings import Reference, shard_of
from foundation import table
from foundation.ids import now

GONE = "~GONE"
_MINUTES_A_DAY = 24 * 60


def edit(reference: Reference, metadata: dict[str, str]) -> bool:
    """Replace a completion's metadata. Returns False if the completion was deleted meanwhile."""
    return table.put_unless(_row(reference, {"metadata": orjson.dumps(metadata).decode()}), "gone")


def delete(references: Iterable[Reference]) -> None:
    """Delete everything that is or will be recorded under these references' ids. The hourly sweep erases the bytes."""
    at = now()
    table.write_all(row for reference in references for row in _deletion(reference, at))


def hide(references: Iterable[Reference]) -> None:
    """Hide completions from lists: their ids were deleted before they were recorded."""
    table.write_all(_row(reference, {"gone": True}) for reference in references)


def _deletion(reference: Reference, at: int) -> list[table.Row]:
    return [
        {"pk": f"C#{reference.id}", "sk": GONE, "at": at},
        _row(reference, {"gone": True}),
        {"pk": erasures(shard_of(reference.id)), "sk": f"{at:010d}#{reference.minute:010d}#{reference.id}"},
    ]


def erasures(shard: int) -> str:
    """The partition of the deletions whose bytes still lie in S3. Its sort keys are `<at>#<minute>#<id>`."""
    return f"ERASE#{shard}"


def of(reference: Reference) -> table.Row | None:
    """The change of one completion, or None."""
    return table.get(*_key(reference))


def applied(reference: Reference, change: table.Row | None) -> Reference | None:
    """The reference with a change applied to it; None if the change is a deletion."""
    if change is None:
        return reference
    return None if change.get("gone") else reference._replace(metadata=orjson.loads(change["metadata"]))


class Changes:
    """The changes along a walk through time. Its minutes must be asked for in the order of the walk."""

    def __init__(self, *, descending: bool) -> None:
        self._descending = descending
        self._day: int | None = None
        self._rows: Iterator[table.Row] = iter(())
        self._next: table.Row | None = None

    def of_minute(self, minute: int) -> dict[str, table.Row]:
        """The changes of this minute by completion id."""
        self._go_to(minute)
        changes: dict[str, table.Row] = {}
        while self._next and _minute(self._next) == minute:
            changes[self._next["sk"].partition("#")[2]] = self._next
            self._next = next(self._rows, None)
        return changes

    def _go_to(self, minute: int) -> None:
        if minute // _MINUTES_A_DAY != self._day:
            self._day = minute // _MINUTES_A_DAY
            self._rows = table.query(
                f"X#{self._day}",
                after=None if self._descending else f"{minute:010d}",
                before=f"{minute + 1:010d}" if self._descending else None,
                descending=self._descending,
            )
            self._next = next(self._rows, None)
        while self._next and (_minute(self._next) > minute if self._descending else _minute(self._next) < minute):
            self._next = next(self._rows, None)


def _key(reference: Reference) -> tuple[str, str]:
    return f"X#{reference.minute // _MINUTES_A_DAY}", f"{reference.minute:010d}#{reference.id}"


def _row(reference: Reference, change: table.Row) -> table.Row:
    pk, sk = _key(reference)
    return {"pk": pk, "sk": sk, **change}


def _minute(row: table.Row) -> int:
    return int(row["sk"].partition("#")[0])
