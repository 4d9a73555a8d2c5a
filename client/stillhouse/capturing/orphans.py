"""Records that Stillhouse refused because it does not know the response before them yet.

In: the refusals of a push. Out: the final refusals. The other records wait here, are pushed again with growing pauses,
and are given up after WITHIN_S seconds. Such refusals happen because the previous response, from this process or from
another, may not be indexed yet.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Sequence
from typing import Any

WITHIN_S = 120.0
_MOST_BYTES = 32 * 1024 * 1024
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 15.0
# history_too_large: the histories of one push were too large together; a later push holds fewer of them.
_LATER = frozenset({"previous_response_not_found", "history_too_large"})


class Orphans:
    """The waiting lines, each with the time at which it is given up, in seconds of the monotonic clock."""

    def __init__(self) -> None:
        self.lines: dict[bytes, float] = {}
        self.due_at = 0.0
        self._bytes = 0
        self._pause = _FIRST_PAUSE_S

    def settle(self, body: bytes, refused: Sequence[dict[str, Any]], now: float) -> list[dict[str, Any]]:
        """Keep the records of a push that may be accepted later; return the refusals of the others."""
        early = {refusal.get("index") for refusal in refused if refusal.get("code") in _LATER}
        if not early and not self.lines:
            return list(refused)
        waiting = set()
        for position, line in enumerate(gzip.decompress(body).split(b"\n")):
            if position in early and self._waits(line, now):
                waiting.add(position)
            elif self.lines.pop(line, None) is not None:
                self._bytes -= len(line)
        return [refusal for refusal in refused if refusal.get("index") not in waiting]

    def _waits(self, line: bytes, now: float) -> bool:
        if line in self.lines:
            return now < self.lines[line]
        if self._bytes + len(line) > _MOST_BYTES:
            return False
        if not self.lines:
            self._pause = _FIRST_PAUSE_S
            self.due_at = now + self._pause
        self.lines[line] = now + WITHIN_S
        self._bytes += len(line)
        return True

    def pause(self, now: float) -> None:
        """Set the time of the next push; called before each push of the waiting lines."""
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_S)
        self.due_at = now + self._pause

    def release(self) -> Iterable[bytes]:
        """Return all waiting lines, and forget them."""
        lines, self.lines, self._bytes = list(self.lines), {}, 0
        return lines
