"""An imported completion: the record that `POST /v1/captures` takes.

In: the fields that a source has. Out: a line of JSON. Metadata is cut to the API's limits, which is noted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from stillhouse.capturing.recorder import MOST_PAIRS
from stillhouse.capturing.records import to_json
from stillhouse.capturing.wrap import LONGEST_NAME, LONGEST_VALUE


@dataclass(slots=True)
class Record:
    """A completion of a source. `created` is in seconds since the epoch; `notes` list what was left out of it."""

    origin: str
    request: dict[str, Any]
    response: dict[str, Any]
    created: int | None = None
    latency_ms: int | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    reference: Any = None
    provider: str | None = None
    original: dict[str, Any] | None = None
    untrainable: str | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def id(self) -> str | None:
        completion_id = self.response.get("id")
        return completion_id if isinstance(completion_id, str) else None

    def tag(self, pairs: Mapping[str, Any]) -> None:
        """Add metadata up to the limits. Null and empty values are skipped; values other than text become JSON."""
        for name, value in pairs.items():
            if value is None or value == "" or name in self.metadata:
                continue
            if len(self.metadata) == MOST_PAIRS:
                self.notes.append("metadata: more than 16 pairs")
                return
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
            if len(name) > LONGEST_NAME or len(text) > LONGEST_VALUE:
                self.notes.append("metadata: cut to 64 and 512 characters")
            self.metadata[name[:LONGEST_NAME]] = text[:LONGEST_VALUE]

    def line(self) -> bytes:
        """Return the record as a line of JSON. Raises TypeError or ValueError for a value that JSON cannot hold."""
        optional = {
            "created": self.created,
            "latency_ms": self.latency_ms,
            "metadata": self.metadata or None,
            "reference": self.reference,
            "provider": self.provider,
            "original": self.original,
            "untrainable": self.untrainable,
        }
        filled = {name: value for name, value in optional.items() if value is not None}
        return to_json({"request": self.request, "response": self.response, **filled, "origin": self.origin})


def seconds(time: Any) -> float | None:
    """Return the seconds since the epoch of an ISO time, in UTC if it names no zone; None for anything else."""
    if not isinstance(time, str):
        return None
    try:
        parsed = datetime.fromisoformat(time)
    except ValueError:
        return None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
