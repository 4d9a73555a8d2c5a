"""Whether the time of this invocation is enough for a further piece of work, or another one has to go on.

In: Lambda's context. Out: GoesOn, raised between two pieces, once too little time is left. The first piece of an
invocation is always done: whoever goes on gets further each time.
"""

from __future__ import annotations

from typing import Any

from foundation.errors import StillhouseError

_FOR_A_PIECE_MS = 20_000
_FOR_THE_END_MS = 450_000


class GoesOn(StillhouseError):
    """What is done so far is kept, and another invocation goes on with it."""


class HandedOver(StillhouseError):
    """The state machine makes the parts. It sends the message of the dataset again when it has ended."""


class TimeLeft:
    """The time of one invocation."""

    def __init__(self, context: Any) -> None:
        self._context = context
        self._whole = context.get_remaining_time_in_millis()
        self._pieces = 0

    def spend(self) -> None:
        """Begin a piece of work. Raises GoesOn where too little time is left for it."""
        if self._pieces and self._left() < _FOR_A_PIECE_MS:
            raise GoesOn
        self._pieces += 1

    def finish(self) -> None:
        """Begin the end, which is no piece. Raises GoesOn where it should have a whole invocation for itself."""
        if self._pieces and self._left() < min(_FOR_THE_END_MS, self._whole / 2):
            raise GoesOn

    def _left(self) -> int:
        left: int = self._context.get_remaining_time_in_millis()
        return left
