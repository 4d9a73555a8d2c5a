"""The sandbox function's entry: one grading in, its score or its error out."""

from __future__ import annotations

from typing import Any

from isolation import host, run


def entry(event: dict[str, Any], _: object) -> dict[str, Any]:
    """See `isolation.run`. A process that cannot be brought back to where it was ends, and takes no further call."""
    host.harden()
    with host.brought_back():
        return run.grade(event, memory_bytes=host.spare_memory())
