"""Work that has to wait: its message goes back to the queue and comes again later, however often it is delivered.

In: a message. Out: the message anew, sent before the old one is acknowledged. An old message that is delivered once
more is not sent again, so that doubled messages do not multiply.
"""

from __future__ import annotations

from typing import Any

from foundation import bus, table
from foundation.events import Postponable
from foundation.ids import new_id, now_ms


def put_back(message: Postponable, wait_s: int, **changes: Any) -> None:
    """Deliver it again after `wait_s`, at most `bus.LONGEST_DELAY_S`, with these fields changed."""
    pk, sk = message.place
    counted = table.get(pk, sk)
    if counted and counted["times"] > message.put_back:
        return
    times = message.put_back + 1
    fields = {"put_back": times, "event_id": new_id("evt_"), "at": now_ms(), **changes}
    bus.send(message.model_copy(update=fields), delay_s=min(bus.LONGEST_DELAY_S, wait_s))
    table.put({"pk": pk, "sk": sk, "times": times})
