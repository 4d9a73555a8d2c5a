"""Push the items of a source in batches, and save the progress after each batch.

In: a source, the endpoint, the state. Out: the counts. If Stillhouse cannot be reached, a batch is retried with growing
pauses; a batch that is too large is halved. A refused record is written beside the state, without its body. Raises
Stopped if Stillhouse still cannot be reached or refuses the key.
"""

from __future__ import annotations

import gzip
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from stillhouse.capturing.endpoint import Accepted, Away, Endpoint, Refused
from stillhouse.importing.record import Record
from stillhouse.importing.source import Item, Left, Skipped, Source, Unmapped
from stillhouse.importing.state import Counts, State
from stillhouse.importing.stopped import Stopped
from stillhouse.importing.valid import validated

BATCH_RECORDS = 300
BATCH_BYTES = 2 * 1024 * 1024
# Bounds the items of a batch, so that the state is also saved while every item is skipped.
_BATCH_ITEMS = 5000
_TRIES = 9
_LONGEST_PAUSE_S = 60.0
_NOT_OURS = {401: "refuses the key", 403: "does not give this key the scope `capture`", 404: "is no Stillhouse API"}
_TOO_LARGE = 413
_LONGEST_MESSAGE = 300


@dataclass
class _Batch:
    """Items that are acknowledged together."""

    items: list[Item] = field(default_factory=list)
    lines: list[tuple[Item, bytes]] = field(default_factory=list)
    size: int = 0

    def add(self, item: Item, line: bytes | None) -> None:
        self.items.append(item)
        if line is not None:
            self.lines.append((item, line))
            self.size += len(line)

    def has_room(self, line: bytes | None) -> bool:
        fits = not self.lines or self.size + len(line or b"") <= BATCH_BYTES
        return fits and len(self.lines) < BATCH_RECORDS and len(self.items) < _BATCH_ITEMS


def push(
    source: Source,
    endpoint: Endpoint,
    state: State,
    *,
    show: Callable[[Counts], None] = lambda _: None,
    pause: Callable[[float], None] = time.sleep,
) -> Counts:
    """Push everything behind the state's cursor; `show` gets the counts after every batch."""
    pushing = _Pushing(endpoint, state, pause)
    for batch in _batches(source.items(state.cursor)):
        pushing.deliver(batch)
        show(state.counts)
    state.finish()
    return state.counts


def _batches(items: Iterator[Item]) -> Iterator[_Batch]:
    batch = _Batch()
    for item in items:
        checked, line = _line(item)
        if not batch.has_room(line):
            yield batch
            batch = _Batch()
        batch.add(checked, line)
    if batch.items:
        yield batch


def _line(item: Item) -> tuple[Item, bytes | None]:
    """Return the item and the line to push for it: none where it holds no record, or one that is no chat or no JSON."""
    if not isinstance(item.outcome, Record):
        return item, None
    try:
        return item, validated(item.outcome).line()
    except Left as left:
        return Item(item.at, item.cursor, left), None
    except (TypeError, ValueError) as error:
        return Item(item.at, item.cursor, Unmapped(f"what is no JSON ({type(error).__name__})")), None


class _Pushing:
    """One import in progress."""

    def __init__(self, endpoint: Endpoint, state: State, pause: Callable[[float], None]) -> None:
        self._endpoint = endpoint
        self._state = state
        self._pause = pause

    def deliver(self, batch: _Batch) -> None:
        counts = self._state.counts
        first = counts.read
        refusals = self._sent(batch.lines)
        numbers = {item.at: first + number for number, item in enumerate(batch.items)}
        for item in batch.items:
            counts.read += 1
            outcome = item.outcome
            if isinstance(outcome, Record):
                for note in outcome.notes:
                    counts.add("notes", note)
                continue
            counts.add("skipped" if isinstance(outcome, Skipped) else "unmapped", outcome.reason)
            if isinstance(outcome, Unmapped):
                refusals.append((item, {"code": "unmapped", "message": outcome.reason}))
        written = [_refusal(numbers[item.at], item, why) for item, why in refusals]
        self._state.refuse(sorted(written, key=lambda refusal: int(refusal["index"])))
        self._state.cursor = batch.items[-1].cursor
        self._state.save()

    def _sent(self, lines: list[tuple[Item, bytes]]) -> list[tuple[Item, dict[str, Any]]]:
        """Push the lines, in halves if they are too large; return the items that were refused, and why."""
        if not lines:
            return []
        try:
            accepted = self._accepted(gzip.compress(b"\n".join(line for _, line in lines), 6, mtime=0))
        except Refused as refusal:
            if refusal.status == _TOO_LARGE and len(lines) > 1:
                half = len(lines) // 2
                return self._sent(lines[:half]) + self._sent(lines[half:])
            whole = {"code": f"status_{refusal.status}", "message": str(refusal)}
            refused = refusal.records or [{"index": number, **whole} for number in range(len(lines))]
        else:
            self._state.counts.accepted += accepted.accepted
            self._state.counts.renamed += accepted.renamed
            refused = accepted.refused
        for record_refusal in refused:
            self._state.counts.add("refused", str(record_refusal.get("code") or record_refusal.get("param")))
        return [(lines[record_refusal["index"]][0], record_refusal) for record_refusal in refused]

    def _accepted(self, body: bytes) -> Accepted:
        for attempt in range(_TRIES):
            try:
                return self._endpoint.push(body)
            except Away as away:
                if away.status in _NOT_OURS:
                    raise Stopped(f"{self._endpoint.base_url} {_NOT_OURS[away.status]}") from None
                if attempt + 1 < _TRIES:
                    wait = min(_LONGEST_PAUSE_S, 0.5 * 2**attempt) * random.uniform(0.5, 1)
                    self._pause(max(wait, min(away.retry_after, _LONGEST_PAUSE_S)))
                reason = str(away)
        raise Stopped(f"{self._endpoint.base_url} is away ({reason})")


def _refusal(number: int, item: Item, why: dict[str, Any]) -> dict[str, Any]:
    """Return where a record stands and why it was refused; never its content."""
    outcome = item.outcome
    return {
        "index": number,
        "at": item.at,
        "id": outcome.id if isinstance(outcome, Record) else None,
        "code": why.get("code"),
        "param": why.get("param"),
        "message": str(why.get("message"))[:_LONGEST_MESSAGE],
    }
