"""What was changed of captured completions since: edited metadata and deletions, in the order of the completions.

In: an edit or a deletion of one completion. Out: the changes of a minute, for lists that walk through time in either
direction; changes are few, so a day without any costs such a walk one read.

    X#<day>              / <minute>#<id>         edited metadata, or `gone`
    C#<id>               / ~GONE                 its deletion, for whoever knows the id only
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
    """Replace a completion's metadata in lists; False where it was deleted meanwhile."""
    return table.put_unless(_row(reference, {"metadata": orjson.dumps(metadata).decode()}), "gone")


def delete(references: Iterable[Reference]) -> None:
    """Delete what is or will be recorded under the ids of these; their bytes are erased later."""
    at = now()
    table.write_all(row for one in references for row in _deletion(one, at))


def hide(references: Iterable[Reference]) -> None:
    """Take those from the lists whose ids were deleted before they were recorded."""
    table.write_all(_row(one, {"gone": True}) for one in references)


def _deletion(reference: Reference, at: int) -> list[table.Row]:
    return [
        {"pk": f"C#{reference.id}", "sk": GONE, "at": at},
        _row(reference, {"gone": True}),
        {"pk": erasures(shard_of(reference.id)), "sk": f"{at:010d}#{reference.minute:010d}#{reference.id}"},
    ]


def erasures(shard: int) -> str:
    """The partition of deletions whose bytes still lie in S3: `<at>#<minute>#<id>`."""
    return f"ERASE#{shard}"


def of(reference: Reference) -> table.Row | None:
    """The change of one completion."""
    return table.get(*_key(reference))


def applied(reference: Reference, change: table.Row | None) -> Reference | None:
    """The reference after a change; None where it was deleted."""
    if change is None:
        return reference
    return None if change.get("gone") else reference._replace(metadata=orjson.loads(change["metadata"]))


class Changes:
    """The changes along a walk: ask for its minutes in its order."""

    def __init__(self, *, descending: bool) -> None:
        self._descending = descending
        self._day: int | None = None
        self._rows: Iterator[table.Row] = iter(())
        self._next: table.Row | None = None

    def of_minute(self, minute: int) -> dict[str, table.Row]:
        """By completion id."""
        self._go_to(minute)
        found: dict[str, table.Row] = {}
        while self._next and _minute(self._next) == minute:
            found[self._next["sk"].partition("#")[2]] = self._next
            self._next = next(self._rows, None)
        return found

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
