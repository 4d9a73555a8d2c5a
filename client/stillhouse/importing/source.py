"""The protocol of import sources: a source yields items, each with a cursor from which reading can go on after it.

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
    """An item that is not pushed; the message is the reason."""

    @property
    def reason(self) -> str:
        return str(self)[:_LONGEST_REASON]


class Skipped(Left):
    """It is no completion: a span, a failed call, a deleted row."""


class Unmapped(Left):
    """It is a completion, but the chat shape cannot hold it."""


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of a source. `at` says for people where it stands; `cursor` is JSON."""

    at: str
    cursor: Any
    outcome: Record | Left


class Source(Protocol):
    """A source of completions."""

    @property
    def identity(self) -> dict[str, Any]:
        """The options that select what is read. An import is continued only by one with the same identity."""

    @property
    def total(self) -> int | None:
        """The size of the source in the unit of `position`; None if it is unknown."""

    @property
    def position(self) -> int: ...

    def items(self, cursor: Any) -> Iterator[Item]:
        """Yield the items after the cursor, or all for None, in an order that never changes. Raises Stopped."""
