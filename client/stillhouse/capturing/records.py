"""Convert a finished call to the line of JSON that is pushed.

In: the request, and the response as the SDK gave it or as raw bytes. Out: the line of one record, after the redact
hook has changed it; None, and a count, if it is not sent. A line that the hook has not seen is never returned.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pydantic
import pydantic_core

from stillhouse.capturing.assemble import completion_in
from stillhouse.capturing.counts import Tally

LONGEST_LINE = 4 * 1024 * 1024
"""Stillhouse keeps no record of more bytes."""
_TOO_LARGE = (
    "a call of %d bytes is not captured: at most %d are kept. Name images by an https URL in place of their bytes, or "
    "make them smaller"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """One finished call. Objects that the caller may still change are held as JSON; raw bytes are assembled later."""

    request: bytes
    response: bytes | list[bytes]
    latency_ms: int
    provider: str
    alias: bytes | None = None
    """The alias that the call was made by, as JSON."""

    @property
    def size(self) -> int:
        response = self.response
        return len(self.request) + (len(response) if isinstance(response, bytes) else sum(map(len, response)))


def _plain(value: Any) -> Any:
    if isinstance(value, pydantic.BaseModel):
        return value.model_dump(exclude_unset=True, mode="json", by_alias=True)
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no JSON")


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_plain).encode


def to_json(value: Any) -> bytes:
    """Encode as JSON, three times as fast as the standard library: the caller waits. Raises TypeError or ValueError.

    NaN and infinities, such as the log probability of a token that cannot be, become null: JSON has none of them.
    """
    try:
        return pydantic_core.to_json(value, inf_nan_mode="null")
    except ValueError:
        text = _encode(value)
        if "NaN" in text or "Infinity" in text:
            text = _encode(json.loads(text, parse_constant=lambda _: None))
    try:
        return text.encode()
    except UnicodeEncodeError:
        # UTF-8 cannot encode surrogates: a pair is joined, a single one becomes the replacement character.
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


class Packer:
    """Converts calls to lines; runs in the background thread."""

    def __init__(self, redact: Callable[[dict[str, Any]], dict[str, Any] | None] | None, tally: Tally) -> None:
        self._redact = redact
        self._tally = tally

    def line(self, seen: Seen) -> bytes | None:
        """The line of a call; None, and a count, where it is not sent."""
        line = self._line(seen)
        if line is not None and len(line) > LONGEST_LINE:
            self._tally.add("refused")
            self._tally.warn_once("large", _TOO_LARGE, len(line), LONGEST_LINE)
            return None
        return line

    def _line(self, seen: Seen) -> bytes | None:
        response = seen.response
        if isinstance(response, list):
            try:
                completion = completion_in(b"".join(response))
                response = b"" if completion is None else to_json(completion)
            except Exception:  # noqa: BLE001 - whatever a provider sends, the other calls of the batch are delivered
                response = b""
            if not response:
                self._tally.add("incomplete")
                return None
        line = b'{"request":%b,"response":%b,"latency_ms":%d,"provider":%b%b}' % (
            seen.request,
            response,
            seen.latency_ms,
            to_json(seen.provider),
            b',"alias":' + seen.alias if seen.alias else b"",
        )
        return line if self._redact is None else self._redacted(line)

    def _redacted(self, line: bytes) -> bytes | None:
        try:
            record = self._redact(json.loads(line)) if self._redact else None
            if record is None:
                self._tally.add("discarded")
                return None
            if not isinstance(record, dict):
                raise TypeError(f"redact returned {type(record).__name__}, not the record or None")  # noqa: TRY301
            return to_json(record)
        except Exception as error:  # noqa: BLE001 - the hook is the application's: whatever it raises, nothing is sent
            self._tally.add("redact_failed")
            # Only the type is logged: the message may quote what the hook was to hide.
            self._tally.warn_once("redact", "redact raised %s; such records are not sent", type(error).__name__)
            return None
