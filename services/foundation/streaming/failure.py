"""An exception as Lambda's Runtime API and its log want it: the words of the managed Python runtime."""

from __future__ import annotations

import traceback
from typing import NamedTuple, Self

import orjson

from foundation.foreign_json import as_unicode

_MOST_FRAMES = 50
_LONGEST_MESSAGE = 4000


class Failure(NamedTuple):
    """Why an invocation, or the start of the function, failed. `kind` is a word of letters, digits, dots."""

    kind: str
    message: str
    frames: list[str]

    @classmethod
    def of(cls, error: BaseException, kind: str | None = None) -> Self:
        """The failure that an exception is; `kind` where it has another name to Lambda than its class."""
        stack = traceback.extract_tb(error.__traceback__, limit=-_MOST_FRAMES)
        return cls(
            kind or type(error).__name__, as_unicode(str(error)[:_LONGEST_MESSAGE]), traceback.format_list(stack)
        )

    def body(self, request_id: str) -> bytes:
        """The document that tells Lambda."""
        told = {
            "errorMessage": self.message,
            "errorType": self.kind,
            "requestId": request_id,
            "stackTrace": self.frames,
        }
        return orjson.dumps(told)

    def short_body(self, request_id: str, most: int) -> bytes:
        """The same in at most so many bytes: without the outermost frames, and then without the message's end."""
        short = self
        while len(body := short.body(request_id)) > most and (short.frames or short.message):
            kept = short.message if short.frames else short.message[: len(short.message) // 2]
            short = short._replace(frames=short.frames[1:], message=kept)
        return body

    def line(self) -> str:
        """One record of the log: lines are ended by carriage returns, since a line feed would end the record."""
        lines = [f"[ERROR] {self.kind}: {self.message}", "Traceback (most recent call last):", *self.frames]
        return "\r".join(part for line in lines for part in line.splitlines())
