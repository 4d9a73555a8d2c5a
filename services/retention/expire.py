"""Delete the completions that a retention policy no longer keeps, some hundreds at once."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from completions import changes, index
from completions.policies import RetentionPolicy
from foundation.ids import now

_AT_ONCE = 500


def expire(goes_on: Callable[[], bool]) -> int:
    """Delete what has expired as long as `goes_on()` is true. Returns the number of deleted completions."""
    deleted = 0
    for policy in RetentionPolicy.every():
        expired = index.select(policy.expired(now()))
        while goes_on() and (references := list(islice(expired, _AT_ONCE))):
            changes.delete(references)
            deleted += len(references)
    return deleted
