"""What an importer reads: a source gives items one by one, each with the cursor from which reading continues behind it.

An item holds a record to push, or the reason why there is none: `Skipped` if it is no completion, `Unmapped` if it is
a completion that the chat shape cannot hold. Reasons name fields and types, never the content.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from stillhouse.importing.record import Record

_LONGEST_REASON = 100


class Left(Exception):
    """This item is not pushed."""

    @property
    def reason(self) -> str:
        return str(self)[:_LONGEST_REASON]


class Skipped(Left):
    """It is no completion: a span, a failed call, a deleted row."""


class Unmapped(Left):
    """It is a completion, but the chat shape cannot hold it."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in a source. `at` says where it stands, for people; `cursor` is JSON."""

    at: str
    cursor: Any
    found: Record | Left


class Source(Protocol):
    """Where completions come from."""

    @property
    def identity(self) -> dict[str, Any]:
        """What it reads and how: an import only goes on with the same."""

    @property
    def total(self) -> int | None:
        """In the unit of `position`; None where nobody knows."""

    @property
    def position(self) -> int: ...

    def items(self, cursor: Any) -> Iterator[Item]:
        """The items behind the cursor, or all for None, in an order that stays. Raises Stopped."""
