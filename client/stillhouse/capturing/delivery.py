"""Take finished calls from the application's threads, and push them to Stillhouse from a background thread.

In: calls, at the cost of an append. Out: batches that Stillhouse acknowledged, or that wait in the backlog while it
cannot be reached. Calls that do not fit into the queue are dropped and counted. The thread starts with the first call
and ends at `close`.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Iterator

from stillhouse.capturing import lifetime
from stillhouse.capturing.backlog import Backlog, packed
from stillhouse.capturing.confirm import Unconfirmed
from stillhouse.capturing.counts import Tally, log
from stillhouse.capturing.endpoint import Away, Endpoint, Refused
from stillhouse.capturing.orphans import Orphans
from stillhouse.capturing.records import Packer, Seen

QUEUE_CALLS = 10_000
QUEUE_BYTES = 64 * 1024 * 1024
BATCH_CALLS = 200
# Far under the 4 MB that a push may have on the wire, also where nothing can be compressed.
BATCH_BYTES = 3 * 1024 * 1024
LINGER_S = 1.0
_LOOK_AGAIN_S = 60.0
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 60.0


class Delivery:
    """The queue and its thread. Everything under `_wake` is shared with the callers."""

    def __init__(self, endpoint: Endpoint, packer: Packer, backlog: Backlog, tally: Tally) -> None:
        self._endpoint = endpoint
        self._packer = packer
        self._backlog = backlog
        self._tally = tally
        self._forget()
        lifetime.follow(self)

    def _forget(self) -> None:
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None
        self._queue: deque[Seen] = deque()
        self._in_hand: list[Seen] = []
        self._packing = False
        self._bytes = 0
        self._first_at = 0.0
        self._taken = 0
        self._done = 0
        self._own: set[str] = set()
        self._orphans = Orphans()
        self._unconfirmed = Unconfirmed(self._endpoint)
        self._flushing = 0
        self._closing = False
        self._failures = 0
        self._visit_at = 0.0

    def after_fork(self) -> None:
        """Start empty in a forked child: the parent delivers what is queued, and its thread does not exist here."""
        self._forget()
        self._endpoint.forget_connections()
        self._tally.restart()
        self._backlog.abandon()

    # The callers' side.

    def put(self, seen: Seen) -> None:
        size = seen.size
        with self._wake:
            full = len(self._queue) >= QUEUE_CALLS or self._bytes + size > QUEUE_BYTES
            if not full:
                self._queue.append(seen)
                self._bytes += size
                self._taken += 1
                if len(self._queue) == 1:
                    self._first_at = time.monotonic()
                    self._wake.notify_all()
                elif self._batch_is_full():
                    self._wake.notify_all()
                if self._thread is None:
                    self._start()
        if full:
            self._tally.add("dropped")
            self._tally.warn_once("queue", "captured completions come faster than they can be pushed: some are dropped")

    def deliver_leftovers(self) -> None:
        """Start the thread now if an earlier process left batches."""
        if self._backlog.names():
            with self._wake:
                self._start()

    def flush(self, timeout: float) -> bool:
        """Wait until everything captured so far is recorded. False if that took longer than `timeout` seconds."""
        deadline = time.monotonic() + timeout
        with self._wake:
            target = self._taken
            self._flushing += 1
            self._failures = 0
            self._visit_at = self._orphans.due_at = 0.0
            if not self._settled(target):
                self._start()
            self._wake.notify_all()
            settled = self._wake.wait_for(lambda: self._settled(target), timeout)
            self._flushing -= 1
        return settled and self._unconfirmed.wait(deadline)

    def stop(self) -> None:
        """Deliver what is queued and end the thread, without waiting for it."""
        with self._wake:
            self._closing = True
            self._wake.notify_all()

    def close(self, timeout: float) -> None:
        """Stop, and wait at most `timeout` seconds; what is not delivered by then goes to the backlog."""
        self.stop()
        thread = self._thread
        if thread is not None:
            thread.join(timeout)
            if thread.is_alive():
                self._put_aside()
        self._tally.add("dropped", self._backlog.abandon())

    def _settled(self, target: int) -> bool:
        return self._done >= target and not self._own and not self._orphans.lines

    def _start(self) -> None:
        if self._thread is None:
            self._closing = False
            thread = threading.Thread(target=self._run, name="stillhouse-capture", daemon=True)
            thread.start()
            self._thread = thread
            lifetime.close_at_end(self)

    def _put_aside(self) -> None:
        """Move what is queued to the backlog while the thread hangs; drop it if that hangs in the redact hook.

        Nothing unredacted may be written.
        """
        with self._wake:
            left = self._in_hand + list(self._queue)
            self._queue.clear()
            self._bytes = 0
        if self._packing:
            self._tally.add("dropped", len(left))
            return
        for body, records in self._packed(left):
            self._keep(body, records)
        self._keep_orphans()

    def _keep_orphans(self) -> None:
        """Move the orphans to the backlog, from which the next process pushes them."""
        for body, records in packed(self._orphans.release(), BATCH_BYTES):
            self._keep(body, records)

    # The thread's side.

    def _run(self) -> None:
        while (calls := self._next()) is not None:
            try:
                if calls:
                    self._deliver(calls)
                else:
                    self._visit_orphans()
                    self._visit()
            except Exception:  # noqa: BLE001 - this thread is all that delivers: no batch may end it
                log.exception("a batch of captured completions failed")
                self._tally.add("dropped", len(calls))
            with self._wake:
                self._done += len(calls)
                self._in_hand = []
                self._wake.notify_all()

    def _next(self) -> list[Seen] | None:
        """Wait for the calls of the next batch. An empty list means that the backlog is due, None the end."""
        with self._wake:
            while True:
                now = time.monotonic()
                due = min(self._visit_at, self._orphans.due_at) if self._orphans.lines else self._visit_at
                if self._queue and (
                    self._flushing or self._closing or self._batch_is_full() or now - self._first_at >= LINGER_S
                ):
                    return self._take(now)
                if self._closing:
                    self._keep_orphans()
                    self._thread = None
                    return None
                if now >= due:
                    return []
                lingers = self._first_at + LINGER_S if self._queue else due
                self._wake.wait(min(lingers, due) - now)

    def _batch_is_full(self) -> bool:
        return len(self._queue) >= BATCH_CALLS or self._bytes >= BATCH_BYTES

    def _take(self, now: float) -> list[Seen]:
        size = 0
        while self._queue and len(self._in_hand) < BATCH_CALLS and (not size or size < BATCH_BYTES):
            seen = self._queue.popleft()
            size += seen.size
            self._in_hand.append(seen)
        self._bytes -= size
        self._first_at = now
        return list(self._in_hand)

    def _deliver(self, calls: list[Seen]) -> None:
        for body, records in self._packed(calls):
            away = self._failures and time.monotonic() < self._visit_at
            if away or not self._push(body, records):
                self._keep(body, records)

    def _visit_orphans(self) -> None:
        now = time.monotonic()
        if self._orphans.lines and now >= self._orphans.due_at:
            self._orphans.pause(now)
            for body, records in packed(list(self._orphans.lines), BATCH_BYTES):
                if not self._push(body, records):
                    break

    def _packed(self, calls: list[Seen]) -> Iterator[tuple[bytes, int]]:
        return packed(self._lines(calls), BATCH_BYTES)

    def _lines(self, calls: list[Seen]) -> Iterator[bytes]:
        for seen in calls:
            self._packing = True
            line = self._packer.line(seen)
            self._packing = False
            if line is not None:
                yield line

    def _visit(self) -> None:
        """Try the oldest batch of the backlog; with success the next one follows at once."""
        if time.monotonic() < self._visit_at:
            return
        self._visit_at = time.monotonic() + _LOOK_AGAIN_S
        with self._backlog.turn() as ours:
            batch = self._backlog.oldest() if ours else None
            if batch is not None and self._push(batch.body, batch.records):
                self._backlog.remove(batch.name)
                self._own.discard(batch.name)
                self._visit_at = 0.0
        if batch is None and self._own:
            # Delivered by another process, given up for want of room, or about to be delivered by that process.
            self._own &= self._backlog.names()
            self._visit_at = time.monotonic() + _FIRST_PAUSE_S

    def _push(self, body: bytes, records: int) -> bool:
        """Push a batch. True if it is accepted or refused for good, False if it has to be pushed again."""
        try:
            accepted = self._endpoint.push(body)
            batch_id, refused = accepted.batch_id, accepted.refused
        except Refused as refusal:
            if not refusal.records:
                self._refused(records, refusal)
                return True
            batch_id, refused = None, refusal.records
        except Away as away:
            pause = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(self._failures, 10)) * random.uniform(0.5, 1)
            self._failures += 1
            self._visit_at = time.monotonic() + max(pause, min(away.retry_after, _LONGEST_PAUSE_S))
            self._tally.warn_once("away", "Stillhouse is away (%s); captured completions wait for it", away)
            return False
        self._failures = 0
        self._tally.add("delivered", records - len(refused))
        for_good = self._orphans.settle(body, refused, time.monotonic())
        if for_good:
            self._refused(len(for_good), f"{for_good[0].get('code')} {for_good[0].get('param')}")
        if self._tally.settled("away"):
            log.info("Stillhouse is back")
        if batch_id is not None:
            self._unconfirmed.add(batch_id)
        return True

    def _refused(self, records: int, reason: object) -> None:
        self._tally.add("refused", records)
        self._tally.warn_once("refused", "Stillhouse refused captured completions: %s", reason)

    def _keep(self, body: bytes, records: int) -> None:
        name = self._backlog.add(body, records)
        if name is not None:
            self._own.add(name)
