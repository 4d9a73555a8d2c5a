"""Server-sent events out of the pieces in which a network brings them.

In: bytes, cut anywhere. Out: the data of each event as soon as it is whole. Comments, and fields other than `data`, are
left out: OpenAI's events say in their data what they are. https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

LARGEST = 8 * 1024 * 1024
"""So many bytes may one event have: more than any answer that is stored."""
_LINE = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


class EventTooLarge(ValueError):
    """An event has more than LARGEST bytes."""


class Events:
    """The events of one stream."""

    def __init__(self) -> None:
        self._line: list[bytes] = []
        self._data: list[bytes] = []
        self._held = 0
        self._return = False
        self._begun = False

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The data of the events that this piece ends. Raises EventTooLarge."""
        if self._return:
            piece = b"\r" + piece
        # Whether a line feed belongs to it is known with the next piece.
        self._return = piece.endswith(b"\r")
        first, *rest = _LINE.split(piece[:-1] if self._return else piece)
        self._hold(first)
        for part in rest:
            yield from self._ended()
            self._hold(part)

    def rest(self) -> Iterator[bytes]:
        """The event that the end of the stream ends, where no empty line has."""
        yield from self._ended()
        yield from self._ended()

    def _hold(self, part: bytes) -> None:
        self._line.append(part)
        self._held += len(part)
        if self._held > LARGEST:
            raise EventTooLarge(f"an event of more than {LARGEST} bytes")

    def _ended(self) -> Iterator[bytes]:
        line = b"".join(self._line)
        self._line = []
        if not self._begun:
            self._begun, line = True, line.removeprefix(_BOM)
        if line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
            return
        self._held -= len(line)
        if not line and self._data:
            data = b"\n".join(self._data)
            self._data, self._held = [], 0
            yield data
