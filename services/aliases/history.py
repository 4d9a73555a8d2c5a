"""The versions of an alias, of which the current one is its own row.

In: an alias. Out: its versions, newest first. A version is copied here before the next one takes its place, so that
whoever breaks off in between has changed nothing, and who does it again writes the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice

from pydantic import ValidationError

from aliases.alias import Alias
from foundation import table
from foundation.records import encode

_LOOKED_THROUGH = 100


def keep(alias: Alias) -> None:
    """Copy the current version of an alias."""
    fields = {name: encode(value) for name, value in alias.model_dump(mode="json").items()}
    table.put({"pk": _versions(alias.id), "sk": _place(alias.version), **fields})


def version_of(current: Alias, number: int) -> Alias | None:
    """The version of this number, or None."""
    if number == current.version:
        return current
    row = table.get(_versions(current.id), _place(number)) if 0 < number < current.version else None
    return Alias.from_row(row) if row else None


def versions(current: Alias, *, before: int | None = None) -> Iterator[Alias]:
    """The versions before this number, or all of them, the newest first."""
    own = [current] if before is None or before > current.version else []
    end = current.version if before is None else min(before, current.version)
    rows = table.query(_versions(current.id), before=_place(max(0, end)), descending=True)
    return chain(own, map(Alias.from_row, rows))


def before(current: Alias) -> Alias | None:
    """The version that the current one took the place of, or None.

    Of one that took an earlier version's targets again, it is the one before that: rolling back twice goes back twice.
    """
    number = (current.rolled_back_to or current.version) - 1
    return next((version for version in versions(current, before=number + 1) if not version.deleted), None)


def with_cascades() -> list[str]:
    """The names of the aliases of which one of the newest hundred versions has a cascade, deleted ones too."""
    return [str(row["sk"]) for row in list(table.query(Alias.KIND)) if _had_cascade(row)]


def _had_cascade(row: table.Row) -> bool:
    try:
        newest = islice(versions(Alias.from_row(row)), _LOOKED_THROUGH)
        return any(target.cascade for version in newest for target in version.targets)
    except ValidationError:
        # One that cannot be read may have had one.
        return True


def _versions(name: str) -> str:
    return f"ALIASVERSIONS#{name}"


def _place(number: int) -> str:
    return f"{number:010d}"
