"""Delete the completions that a retention policy no longer keeps, some hundreds at once."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from completions import changes, index
from completions.policies import RetentionPolicy
from foundation.ids import now
from foundation.isolate import isolate
from retention.failures import Failures

_AT_ONCE = 500


def expire(goes_on: Callable[[], bool], failures: Failures) -> int:
    """Delete what has expired as long as `goes_on()` is true. Returns the number of deleted completions.

    A policy, or a completion, that cannot be worked on is added to `failures`, and the others go on.
    """
    deleted = 0
    for policy in RetentionPolicy.every():
        with failures.kept(f"the policy {policy.id}"):
            expired = index.select(policy.expired(now()))
            while goes_on() and (references := list(islice(expired, _AT_ONCE))):
                guilty = list(isolate(references, changes.delete))
                failures.add((f"the expiry of {reference.id}", error) for reference, error in guilty)
                deleted += len(references) - len(guilty)
    return deleted
