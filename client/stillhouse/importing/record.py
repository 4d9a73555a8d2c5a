"""One completion on its way to Stillhouse: the record that `POST /v1/captures` takes.

In: what a source knows of it. Out: a line of JSON. Metadata has the API's limits; what does not fit is cut and noted.
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
    """A completion as a source knows it. `created` is in seconds; `notes` say what of it was left out."""

    origin: str
    request: dict[str, Any]
    response: dict[str, Any]
    created: int | None = None
    latency_ms: int | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    reference: Any = None
    provider: str | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def id(self) -> str | None:
        found = self.response.get("id")
        return found if isinstance(found, str) else None

    def tag(self, pairs: Mapping[str, Any]) -> None:
        """Add metadata as far as it fits. Null is no value; what is no text is written as JSON."""
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
        """Raises TypeError or ValueError for what is no JSON."""
        optional = {
            "created": self.created,
            "latency_ms": self.latency_ms,
            "metadata": self.metadata or None,
            "reference": self.reference,
            "provider": self.provider,
        }
        filled = {name: value for name, value in optional.items() if value is not None}
        return to_json({"request": self.request, "response": self.response, **filled, "origin": self.origin})


def seconds(time: Any) -> float | None:
    """Seconds since the epoch of an ISO time; UTC where it names no zone. None for anything else."""
    if not isinstance(time, str):
        return None
    try:
        parsed = datetime.fromisoformat(time)
    except ValueError:
        return None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
