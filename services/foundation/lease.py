"""A lease lets one invocation at a time work on an object: a second delivery of a message waits for the first.

A lease expires a few seconds after its holder's function must have ended, so a holder that was killed does not block
others for long. A holder that returns or raises releases the lease at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from foundation import table
from foundation.errors import AtWork
from foundation.ids import new_id, now_ms

_GRACE_MS = 3_000


@contextmanager
def held(pk: str, name: str, context: Any) -> Iterator[None]:
    """Hold the lease `name` of the partition `pk` within the block. Raises AtWork if another invocation holds it.

    `context` is Lambda's: its remaining time says when the lease expires.
    """
    sk, holder = f"LEASE#{name}", new_id("")
    until = now_ms() + context.get_remaining_time_in_millis() + _GRACE_MS
    lease = {"pk": pk, "sk": sk, "until": until, "holder": holder}
    taken = table.put_new(lease) or table.update(
        pk,
        sk,
        {"until": until, "holder": holder},
        condition="#until < :now",
        values={"now": now_ms()},
    )
    if not taken:
        raise AtWork(f"{pk} {name} is being worked on")
    try:
        yield
    finally:
        table.update(pk, sk, {"until": 0}, where={"holder": holder})
