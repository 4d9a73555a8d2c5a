"""How long to wait between attempts at something that may work later."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import repeat


def pauses(least_s: float, most_s: float) -> Iterator[float]:
    """Endless waits in seconds, doubling from `least_s` to `most_s`, each shortened at random by up to half.

    Without the random part, callers that were refused at the same moment would all come back at the same moment.
    """
    pause_s = least_s
    for _ in repeat(None):
        yield pause_s * random.uniform(0.5, 1.0)
        pause_s = min(pause_s * 2, most_s)
