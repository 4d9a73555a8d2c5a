"""Delete what its retention policy no longer keeps: some hundreds at once, until none or no time is left."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from completions import changes, index
from completions.policies import policies
from foundation.ids import now

_AT_ONCE = 500


def expire(goes_on: Callable[[], bool]) -> int:
    """Delete what has expired while there is time; how many completions."""
    deleted = 0
    for policy in policies():
        expired = index.select(policy.expired(now()))
        while goes_on() and (some := list(islice(expired, _AT_ONCE))):
            changes.delete(some)
            deleted += len(some)
    return deleted
