"""Aliases by name, as a warm function knows them: each is read again when it is older than a second.

In: the model that a call names. Out: the alias of that name, as it was within the last second, or None. A change
therefore reaches every call within a second, and a name costs one read of the table a second, however many calls. A
read that fails keeps what was known, for five seconds before it is tried again, and is logged; only where nothing is
known does its error reach the caller.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import NamedTuple

from aliases.alias import ALIAS, LONGEST_ALIAS, Alias
from foundation.consumer import logger

_HELD_S = 0.8
# A read that fails has taken seconds with its own attempts: not every call may wait for one.
_PAUSE_S = 5.0
_MOST_HELD = 1000
_ALIAS = re.compile(ALIAS, re.ASCII)


class _Read(NamedTuple):
    """What a read found, and until when it holds."""

    alias: Alias | None
    until: float


class KnownAliases:
    """The aliases that one process has been asked for. `clock` counts seconds."""

    def __init__(
        self, read: Callable[[str], Alias | None] = Alias.find, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read
        self._clock = clock
        self._held: dict[str, _Read] = {}

    def find(self, name: str) -> Alias | None:
        """The alias of this name, or None."""
        held, at = self._held.get(name), self._clock()
        if held is not None and at < held.until:
            return held.alias
        if len(name) > LONGEST_ALIAS or not _ALIAS.fullmatch(name):
            return None
        try:
            found = _Read(self._read(name), at + _HELD_S)
        except Exception:
            if held is None:
                raise
            logger().exception("an alias cannot be read: what was known of it holds")
            found = _Read(held.alias, self._clock() + _PAUSE_S)
        # Callers choose the names: without a bound they could fill the memory.
        if len(self._held) >= _MOST_HELD:
            self._held.clear()
        self._held[name] = found
        return found.alias

    def forget(self) -> None:
        """Read every alias anew."""
        self._held.clear()


known_aliases = KnownAliases()
"""Those of this process."""
