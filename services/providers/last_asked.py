"""When a trained model was last asked, to a few minutes.

In: the name of a model that is asked. Out: a row a model. A process writes it at most once in ten minutes, so that
calls stay cheap; one that cannot be written is logged, and the call goes on.
"""

from __future__ import annotations

import time

from botocore.exceptions import BotoCoreError, ClientError

from foundation import table
from foundation.consumer import logger
from foundation.ids import now

_ASKED = "ASKED"
_EVERY_S = 600.0
_noted: dict[str, float] = {}


def note(model: str) -> None:
    """Note that this model is asked now."""
    at = time.monotonic()
    if model in _noted and at - _noted[model] < _EVERY_S:
        return
    _noted[model] = at
    try:
        table.put({"pk": _ASKED, "sk": model, "at": now()})
    except (ClientError, BotoCoreError):
        logger().warning("the time of a call is not noted", extra={"model": model})


def last_asked(model: str) -> int | None:
    """When it was last asked, in seconds since the epoch; None if it never was."""
    row = table.get(_ASKED, model)
    return row["at"] if row else None


def forget() -> None:
    """Note every model anew."""
    _noted.clear()
