"""Work that has to wait: its message goes back to the queue and comes again later, however often it is delivered.

In: a message, and where a row counts how often it went back. Out: the message anew, sent before the old one is
acknowledged. Of an old one that is delivered once more nothing comes, so that doubled messages do not multiply.
"""

from __future__ import annotations

from typing import Any

from foundation import queues, table
from foundation.events import GradeChunk, SampleBatch
from foundation.ids import new_id, now_ms

MOST_S = 900
"""What SQS delays at most."""


def put_back(url: str, message: GradeChunk | SampleBatch, row: str, wait_s: int, **changes: Any) -> None:
    """Deliver it again after `wait_s`, at most 900, with these fields changed."""
    before = table.get(message.run_id, row)
    if before and before["times"] > message.put_back:
        return
    times = message.put_back + 1
    fields = {"put_back": times, "event_id": new_id("evt_"), "at": now_ms(), **changes}
    queues.send(url, message.model_copy(update=fields), delay_s=min(MOST_S, wait_s))
    table.put({"pk": message.run_id, "sk": row, "times": times})
