"""One provider of one kind, as opposed to all of them together (`routing.Providers`), and how it is made."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from providers.entry import Entry
from providers.key import Key
from providers.kinds import KINDS
from providers.pace import Pace
from providers.provider import StreamingProvider

if TYPE_CHECKING:
    from providers.batch_api import BatchAPI


class SingleProvider(StreamingProvider, Protocol):
    """A provider with what only a single one has."""

    def batch_api(self, *, timeout_s: float) -> BatchAPI | None:
        """Its Batch API, each request of which may take `timeout_s`; None if it has none."""
        ...

    async def close(self) -> None:
        """Close its connections. It may still be asked: it connects again."""
        ...


def make_provider(entry: Entry, *, key: Key, pace: Pace | None) -> SingleProvider:
    """Make the provider that an entry describes; its kind's module is imported here."""
    module = import_module(f"providers.{KINDS[entry.kind].module}")
    provider: SingleProvider = module.make_provider(entry, key=key, pace=pace)
    return provider
