"""Model versions by the names that they are asked for, each read from the table once in a while.

In: a model's name. Out: its version, as it was within the last minute, or None: most names are those of models that no
job here made. A name that is none is looked up again after some seconds, since a job may just have made it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from providers.model_version import ModelVersion

_KNOWN_S = 50.0
_UNKNOWN_S = 10.0
_LONGEST_KEY = 1024
_MOST_HELD = 1000


class _Looked(NamedTuple):
    """What a look-up found, and when."""

    version: ModelVersion | None
    at: float


class Versions:
    """The model versions that one process has asked for. `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: dict[str, _Looked] = {}

    def find(self, name: str) -> ModelVersion | None:
        """The version of this name, or None."""
        # DynamoDB takes keys of 1 to 1,024 bytes.
        if not 0 < len(name.encode(errors="replace")) <= _LONGEST_KEY:
            return None
        held = self._held.get(name)
        if held is None or self._clock() - held.at >= (_KNOWN_S if held.version else _UNKNOWN_S):
            # Callers choose the names: without a bound they could fill the memory.
            if len(self._held) >= _MOST_HELD:
                self._held.clear()
            held = self._held[name] = _Looked(ModelVersion.find(name), self._clock())
        return held.version

    def forget(self) -> None:
        """Read every version anew."""
        self._held.clear()
