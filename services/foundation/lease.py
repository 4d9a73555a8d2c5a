"""A lease keeps two deliveries of one message apart while the first is at work.

It outlives the function by a few seconds, so that a killed holder blocks nobody for long; a holder that fails
releases it at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from foundation import table
from foundation.errors import RetryLater
from foundation.ids import new_id, now_ms

_GRACE_MS = 3_000


@contextmanager
def held(pk: str, name: str, context: Any) -> Iterator[None]:
    """Hold the lease `name` of `pk` for the rest of this invocation; RetryLater while another holds it."""
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
        raise RetryLater(f"{pk} {name} is being worked on")
    try:
        yield
    finally:
        table.update(pk, sk, {"until": 0}, where={"holder": holder})
