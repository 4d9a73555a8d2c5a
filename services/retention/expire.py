"""Delete the completions that a retention policy no longer keeps, some hundreds at once.

A sweep that came to its end leaves a mark, and the next one begins there. Completions that were pushed or edited long
after they were made have a row that takes it back to their minute (`postings.LATE`).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from completions import changes, index
from completions.policies import RetentionPolicy
from completions.postings import LATE, SECONDS_A_MINUTE
from foundation import table
from foundation.ids import now
from foundation.isolate import isolate
from retention.failures import Failures

_AT_ONCE = 500
# By then the rows of an object are written that a late push announced.
_GRACE_S = 3600


def expire(goes_on: Callable[[], bool], failures: Failures) -> int:
    """Delete what has expired as long as `goes_on()` is true. Returns the number of deleted completions.

    A policy, or a completion, that cannot be worked on is added to `failures`, and the others go on.
    """
    deleted = 0
    late = list(table.query(LATE))
    ended = True
    for policy in RetentionPolicy.every():
        at_end = False
        with failures.kept(f"the policy {policy.id}"):
            since = min([policy.swept_until, *(_made_at(row) for row in late[:1])])
            wanted = policy.expired(now(), since=since)
            expired = index.select(wanted)
            guilty: list[object] = []
            while goes_on() and (references := list(islice(expired, _AT_ONCE))):
                failed = list(isolate(references, changes.delete))
                failures.add((f"the expiry of {reference.id}", error) for reference, error in failed)
                deleted += len(references) - len(failed)
                guilty += failed
            at_end = goes_on() and not guilty
            if at_end:
                policy.mark(wanted.created_before or 0)
        ended = ended and at_end
    if ended:
        for row in late:
            if row["at"] < now() - _GRACE_S:
                table.delete(LATE, row["sk"])
    return deleted


def _made_at(row: table.Row) -> int:
    """When the oldest completion of a late push was made, in seconds since the epoch."""
    return int(row["sk"].partition("#")[0]) * SECONDS_A_MINUTE
