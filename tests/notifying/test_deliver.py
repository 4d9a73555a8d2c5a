"""One notice through its channels: each once, each failure its own, whatever is delivered again, late or twice."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from foundation import bus, table
from foundation.errors import AtWork
from foundation.ids import now
from foundation.notice_messages import DeliverNotice
from notifications import notices
from notifications.channels import EMAIL, Channel, email_channel
from notifications.notices import Delivery, claimed, record
from notifying import deliver as delivering
from notifying.channels import NotTaken
from notifying.deliver import PATIENCE_S, deliver, give_up
from tests.flow.faults import Hook, injected
from tests.notifying.stubs import Stub, channel, notice

pytestmark = pytest.mark.usefixtures("system")
GOOD, BAD = "whe_good", "whe_bad"


@dataclass
class Clock:
    """A queue whose messages arrive when they are due, `doubled` each twice; a failed one comes again."""

    at: int
    doubled: bool = False
    waiting: list[tuple[int, int, DeliverNotice]] = field(default_factory=list)
    times: list[tuple[int, str]] = field(default_factory=list)

    def send(self, message: DeliverNotice, *, delay_s: int = 0) -> None:
        assert delay_s <= bus.LONGEST_DELAY_S
        for _ in range(2 if self.doubled else 1):
            heapq.heappush(self.waiting, (self.at + delay_s, len(self.waiting) + self.at, message))

    def run(self, until: int) -> None:
        """Deliver what is due up to then."""
        while self.waiting and self.waiting[0][0] <= until:
            due, _, message = heapq.heappop(self.waiting)
            self.at = max(self.at, due)
            try:
                deliver(message)
            except AtWork:
                self.send(message, delay_s=720)
        self.at = until


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    started = Clock(now())
    monkeypatch.setattr(bus, "send", started.send)
    for module in (delivering, notices):
        monkeypatch.setattr(module, "now", lambda: started.at)
    monkeypatch.setattr(notices, "now_ms", lambda: 1000 * started.at)
    return started


@pytest.fixture
def stub(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Stub:
    """In place of each channel; notes when it was asked."""
    made = Stub()
    send = made.send

    def noted(sent: Any, to: Channel) -> None:
        send(sent, to)
        clock.times.append((clock.at, to.id))

    monkeypatch.setattr(made, "send", noted)
    monkeypatch.setattr(delivering, "CHANNELS", dict.fromkeys(("email", "slack", "webhook"), made))
    return made


def state(channel_id: str, number: int = 1) -> Delivery:
    found = Delivery.find(channel_id, notice(number))
    assert found
    return found


REFUSED = NotTaken("It answered 500.")


@pytest.mark.parametrize("doubled", [False, True])
def test_a_channel_that_fails_for_an_hour_gets_it_once_afterwards_and_the_others_got_it_at_once_and_once(
    doubled: bool, clock: Clock, stub: Stub
) -> None:
    channel(GOOD)
    channel(BAD)
    begun, clock.doubled = clock.at, doubled
    stub.fails = {BAD: REFUSED}
    record(notice())
    clock.run(begun + 3600)
    assert [(at, name) for at, name in clock.times if name != BAD] == [(begun, EMAIL), (begun, GOOD)]
    assert (state(GOOD).status, state(BAD).status) == ("delivered", "pending")
    assert state(BAD).last_error == "It answered 500."

    stub.fails = {}
    clock.run(begun + 24 * 3600)

    assert [name for at, name in clock.times if at > begun + 3600 or name != BAD] == [EMAIL, GOOD, BAD]
    delivered = state(BAD)
    assert (delivered.status, delivered.next_attempt_at) == ("delivered", None)
    assert delivered.attempts == len([name for name, _ in stub.sent if name == BAD])
    assert begun + 3600 < (delivered.ended_at or 0) <= begun + 2 * 3600
    assert clock.waiting == []


def test_who_never_takes_it_is_given_up_after_a_day_and_attempts_grow_rare(clock: Clock, stub: Stub) -> None:
    channel(BAD)
    stub.fails = {BAD: REFUSED}
    begun = clock.at
    record(notice())
    clock.run(begun + 3 * PATIENCE_S)
    assert state(BAD).status == "given_up"
    assert (state(BAD).ended_at or 0) - begun <= PATIENCE_S
    assert state(BAD).attempts == len([name for name, _ in stub.sent if name == BAD]) == 13
    assert clock.waiting == []


def test_who_wants_no_more_is_given_up_at_once(clock: Clock, stub: Stub) -> None:
    channel(BAD)
    stub.fails = {BAD: NotTaken("It answered 410.", for_good=True)}
    record(notice())
    clock.run(clock.at)
    assert (state(BAD).status, state(BAD).attempts, state(BAD).last_error) == ("given_up", 1, "It answered 410.")


@pytest.mark.parametrize(("asks", "waits"), [(45.2, 46), (2.0, 10), (900.0, 900)])
def test_who_is_busy_is_asked_again_when_it_says_but_no_sooner_than_others(
    asks: float, waits: int, clock: Clock, stub: Stub
) -> None:
    channel(BAD)
    stub.fails = {BAD: NotTaken("It answered 429.", after_s=asks)}
    record(notice())
    clock.run(clock.at)
    assert state(BAD).next_attempt_at == clock.at + waits


def test_an_error_of_any_kind_is_one_of_that_channel_and_shows_nothing_of_it(clock: Clock, stub: Stub) -> None:
    channel(BAD)
    stub.fails = {BAD: ValueError("https://hooks.test/secret")}
    record(notice())
    clock.run(clock.at)
    assert state(BAD).last_error == "It failed: ValueError."


def test_a_channel_that_was_deleted_is_given_up(clock: Clock, stub: Stub) -> None:
    made = channel(BAD)
    record(notice())
    made.remove()
    clock.run(clock.at)
    assert (state(BAD).status, state(BAD).last_error) == ("given_up", "The channel was deleted.")
    assert [name for name, _ in stub.sent] == [EMAIL]


def test_what_is_recorded_twice_is_recorded_and_told_once(clock: Clock, stub: Stub) -> None:
    record(notice())
    channel(GOOD)
    again = record(notice(sentence="Otherwise."))
    clock.run(clock.at)
    record(notice())
    clock.run(clock.at)
    assert (again.sentence, again.channels) == ("It does.", [EMAIL])
    assert stub.sent == [(EMAIL, "evt_1")]


def test_a_recording_that_broke_off_is_brought_to_its_end(
    clock: Clock, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel(GOOD)
    with monkeypatch.context() as patch:
        patch.setattr(bus, "send", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            record(notice())
    record(notice())
    clock.run(clock.at)
    assert sorted(stub.sent) == [(EMAIL, "evt_1"), (GOOD, "evt_1")]


def test_events_choose_their_channels(clock: Clock, stub: Stub) -> None:
    channel(GOOD, "eval.run.failed")
    channel(BAD, "distillation.verdict", "eval.run.failed")
    record(notice(1))
    record(notice(2, type="eval.run.failed"))
    clock.run(clock.at)
    assert Counter(stub.sent) == Counter([(EMAIL, "evt_1"), (BAD, "evt_1"), (GOOD, "evt_2"), (BAD, "evt_2")])


def test_two_deliveries_of_one_message_do_not_work_at_once(clock: Clock) -> None:  # noqa: ARG001
    record(notice())
    with claimed(EMAIL, notice()) as delivery:
        assert delivery
        with pytest.raises(AtWork), claimed(EMAIL, notice()):
            pass
    with claimed(GOOD, notice()) as delivery:
        assert delivery is None


def test_copies_of_a_message_find_it_done_one_after_the_other(clock: Clock, stub: Stub) -> None:
    record(notice())
    message = DeliverNotice(notice_id="evt_1", channel_id=EMAIL)
    for _ in range(3):
        deliver(message)
    assert stub.sent == [(EMAIL, "evt_1")]
    assert clock.at


def test_a_message_that_fails_for_good_gives_its_delivery_up(clock: Clock) -> None:  # noqa: ARG001
    record(notice())
    message = DeliverNotice(notice_id="evt_1", channel_id=EMAIL)
    give_up(message, "it was tried 5 times")
    assert (state(EMAIL).status, state(EMAIL).last_error) == ("given_up", "it was tried 5 times")
    give_up(DeliverNotice(notice_id="evt_9", channel_id=EMAIL), "gone")


def test_what_is_kept_ends_by_itself(clock: Clock, stub: Stub) -> None:
    stub.fails = {EMAIL: REFUSED}
    record(notice())
    clock.run(clock.at)
    stub.fails = {}
    clock.run(clock.at + 3600)
    rows = [*table.query("NOTICE#evt_1"), *table.query(f"DELIVERIES#{EMAIL}")]
    assert [row["sk"].partition("#")[0] for row in rows] == ["BACK", "NOTICE", "0000000007"]
    assert all(int(row["expires"]) > now() + 14 * 86_400 for row in rows)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("n", range(1, 9))
def test_a_call_that_fails_leaves_every_channel_told(n: int, when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, but where the failure lies between sending and its row: then again, under the same id."""
    made = Stub()
    monkeypatch.setattr(delivering, "CHANNELS", dict.fromkeys(("email", "slack", "webhook"), made))
    channel(GOOD)
    messages: list[DeliverNotice] = []
    monkeypatch.setattr(bus, "send", lambda message, **_: messages.append(message))
    hook = Hook(n, when)
    with injected(hook, monkeypatch):
        _until_done(partial(record, notice()), hook, "record")
        while messages:
            message = messages.pop(0)
            _until_done(partial(deliver, message), hook, message.channel_id)
    assert {name for name, _ in made.sent} == {EMAIL, GOOD}
    assert all(times <= 2 for times in Counter(made.sent).values())
    assert [state(name).status for name in (EMAIL, GOOD)] == ["delivered"] * 2


def _until_done(work: Any, hook: Hook, name: str) -> None:
    """Deliver it, and again where it was struck."""
    for _ in range(2):
        struck: list[bool] = []

        def call(struck: list[bool] = struck) -> None:
            try:
                work()
            except EndpointConnectionError:
                struck.append(True)

        hook.around(name, call)
        if not struck:
            return


def test_the_topic_is_told_of_what_it_was_chosen_for() -> None:
    email = email_channel()
    email.create()
    email.change({"event_types": ["eval.run.failed"]})
    assert email_channel().event_types == ["eval.run.failed"]
    assert email_channel().url.startswith("arn:")
