"""Work that waits for a provider that is away: its message goes back into its queue, until the patience is over.

The message is sent anew before the old one is acknowledged. SQS may deliver the old one twice; the second time it is
not sent again, because a row counts how often the message was put back. Doubled messages therefore do not multiply.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from foundation import bus, table
from foundation.bounds import CutText
from foundation.ids import new_id, now, now_ms
from foundation.message import BACK, Postponable
from foundation.settings import settings

_SECONDS_AN_HOUR = 3600
# Longer than SQS keeps a message; each time that one is put back begins it anew.
_REMEMBERED_S = 15 * 86_400


class Pause(BaseModel):
    """Since when a provider is waited for that is away, and why; before `until` nobody asks it. Times are seconds."""

    since: int
    reason: CutText
    until: int | None = None


def patience_over(since: int) -> bool:
    """Whether a provider that is away since then (seconds since the epoch) has been waited for as long as it may."""
    return now() - since >= settings().PROVIDER_PATIENCE_HOURS * _SECONDS_AN_HOUR


def put_back(message: Postponable, wait_s: int, **changes: Any) -> None:
    """Send the message anew with these fields changed; it arrives after `wait_s` seconds, or after SQS's longest delay.

    Does nothing if this message was put back before.
    """
    pk, sk = message.place
    counted = table.get(pk, sk)
    if counted and counted["times"] > message.put_back:
        return
    times = message.put_back + 1
    fields = {"put_back": times, "event_id": new_id("evt_"), "at": now_ms(), **changes}
    bus.send(message.model_copy(update=fields), delay_s=min(bus.LONGEST_DELAY_S, wait_s))
    table.put({"pk": pk, "sk": sk, "times": times, "expires": now() + _REMEMBERED_S})


def begin_again(pk: str) -> None:
    """Forget how often the messages of an object were put back, so that they can be sent anew from the beginning.

    Where one of them is still on its way, it and the new one become one when they are put back next.
    """
    for row in list(table.query(pk, prefix=BACK)):
        table.delete(row["pk"], row["sk"])
