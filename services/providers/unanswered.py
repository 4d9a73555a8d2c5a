"""A provider that says nothing, and what is said in its place: with the name that it has here, where that is known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import orjson

from providers.provider import ProviderAway


class Unanswered(ProviderAway):
    """The provider has said nothing, so that the message is ours; `what` became of the call."""

    def __init__(self, status: int, what: str, *, final: bool = False) -> None:
        super().__init__(status, b"", {}, final=final)
        self._what = what
        self._say("The model provider")

    def _say(self, who: str) -> None:
        self.body = orjson.dumps({"error": {"message": f"{who} {self._what}."}})

    def name(self, provider: str) -> None:
        """Say in the message which provider it is."""
        self._say(f"The provider '{provider}'")


@contextmanager
def as_of(provider: str) -> Iterator[None]:
    """Have what ProviderAway says within the block name the provider."""
    try:
        yield
    except ProviderAway as away:
        away.provider = provider
        if isinstance(away, Unanswered):
            away.name(provider)
        raise
