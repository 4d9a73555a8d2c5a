"""A provider that is away pauses a run and never fails it, until the deadline; then its rows say why."""

from __future__ import annotations

from typing import Any

import pytest

from evals.output_items import output_items
from evals.run import Run
from foundation import bus
from foundation.events import GradeChunk
from grading.grade import grade_chunk
from providers import Answer, OverLimit, ProviderAway
from tests.flow.system import System
from tests.grading.build import JUDGE, Counting, asked_for, counts, planned, row
from tests.grading.clock import Clock

HOUR = 3600


@pytest.fixture
def clock(system: System, monkeypatch: pytest.MonkeyPatch) -> Clock:
    assert system
    return Clock(monkeypatch)


@pytest.fixture
def four_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDER_PATIENCE_HOURS", "4")


class Away(Counting):
    """Refuses as a real one does, with words, while `away` says so of a request."""

    def __init__(self, away: Any = lambda _: True, **how: Any) -> None:
        super().__init__()
        self.away = away
        self.how = how

    async def complete(self, request: dict[str, Any], **options: Any) -> Answer:
        if self.away(request):
            self.asked.append(request)
            raise ProviderAway(503, b'{"error": {"message": "Over capacity."}}', {}, **self.how)
        return await super().complete(request, **options)


def grade_all(messages: list[GradeChunk], context: Any, provider: Any) -> None:
    for message in messages:
        grade_chunk(message, context, provider)


def test_an_outage_of_a_day_fails_nothing(system: System, context: Any, clock: Clock) -> None:
    run, cut = planned(system, [row(n) for n in range(60)])
    provider = Away()
    began = clock.now
    grade_all(cut, context, provider)
    paused = system.ok("GET", f"/v1/evals/{run.eval_id}/runs/{run.id}")["paused"]
    assert (paused["since"], paused["reason"]) == (began, "Over capacity.")
    for hour in (1, 5, 14, 22, 23):
        clock.now = max(clock.now, began + hour * HOUR)
        for _ in range(3):
            grade_all(clock.next(), context, provider)
    stored = Run.load(run.id)
    assert stored.status == "in_progress"
    assert stored.paused is not None
    assert stored.paused.since == began
    assert len(clock.waiting()) == 2, "each chunk waits once"
    assert clock.delays[0] == 15
    assert max(clock.delays) == 900
    # Not every chunk asks anew in every round.
    assert len(provider.asked) < 60 * 15

    back = Counting()
    while due := clock.next():
        grade_all(due, context, back)
    stored = Run.load(run.id)
    assert (stored.status, stored.paused) == ("completed", None)
    assert counts(run.id) == (60, 60, 0, 0)
    assert len(back.asked) == 60


def test_after_the_deadline_unanswered_rows_are_errored_with_the_reason(
    system: System, context: Any, clock: Clock, four_hours: None
) -> None:
    assert four_hours is None
    run, cut = planned(system, [row(n) for n in range(60)])
    provider = Away(lambda request: int(asked_for(request).split()[-1]) >= 20)
    began = clock.now
    grade_all(cut, context, provider)
    while due := clock.next():
        grade_all(due, context, provider)
    assert began + 4 * HOUR <= clock.now < began + 5 * HOUR
    stored = Run.load(run.id)
    assert (stored.status, stored.paused) == ("completed", None)
    assert counts(run.id) == (60, 20, 0, 40)
    last = output_items(run.id, 0)[-1]
    assert last["sample"]["error"] == {"code": "provider_503", "message": "Over capacity."}
    answered = [request for request in provider.asked if int(asked_for(request).split()[-1]) < 20]
    assert len(answered) == 20, "what was answered is not asked again"


def test_a_judge_that_is_away_keeps_its_samples_and_then_errs_its_rows(
    system: System, context: Any, clock: Clock, four_hours: None
) -> None:
    assert four_hours is None
    run, cut = planned(system, [row(n) for n in range(4)], JUDGE)
    provider = Away(lambda request: request["model"] == "lab-judge")
    grade_all(cut, context, provider)
    assert Run.load(run.id).paused is not None
    while due := clock.next():
        grade_all(due, context, provider)
    assert counts(run.id) == (4, 0, 0, 4)
    for item in output_items(run.id, 0):
        assert item["sample"]["output"], "the sample was there"
        assert item["results"][0]["sample"]["error"]["message"] == "Over capacity."
    assert sum(request["model"] != "lab-judge" for request in provider.asked) == 4


def test_where_asking_again_is_of_no_use_the_row_is_errored_at_once(system: System, context: Any, clock: Clock) -> None:
    run, (chunk,) = planned(system, [row(n) for n in range(3)])
    grade_chunk(chunk, context, Away(lambda request: asked_for(request) == "row 1", final=True))
    assert counts(run.id) == (3, 2, 0, 1)
    assert Run.load(run.id).status == "completed"
    assert clock.waiting() == []


def test_the_wait_is_as_long_as_the_provider_asks(system: System, context: Any, clock: Clock) -> None:
    run, (chunk,) = planned(system, [row(1)])
    grade_chunk(chunk, context, Away(retry_after=400))
    assert clock.delays == [400]
    assert Run.load(run.id).paused is not None


def test_doubled_messages_do_not_multiply(system: System, context: Any, clock: Clock) -> None:
    run, (chunk,) = planned(system, [row(n) for n in range(3)])
    provider = Away()
    due = [chunk]
    for _ in range(8):
        grade_all([message for message in due for _ in range(2)], context, provider)
        assert len(clock.waiting()) == 1
        due = clock.next()
    grade_all(due * 2, context, Counting())
    assert counts(run.id) == (3, 3, 0, 0)
    assert clock.waiting() == []


def test_a_chunk_that_could_not_be_sent_back_is_not_lost(
    system: System, context: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, (chunk,) = planned(system, [row(1)])
    with monkeypatch.context() as patch:
        patch.setattr(bus, "send", _cut)
        with pytest.raises(ConnectionError):
            grade_chunk(chunk, context, Away())
    assert clock.waiting() == []
    grade_chunk(chunk, context, Away())
    assert [message.put_back for message in clock.waiting()] == [1]


def _cut(*_: Any, **__: Any) -> None:
    raise ConnectionError


def test_a_question_that_its_provider_fails_on_does_not_hold_up_the_others(
    system: System, context: Any, clock: Clock
) -> None:
    run, (first, *others) = planned(system, [row(n) for n in range(150)])
    provider = Away(lambda request: asked_for(request) == "row 7")
    for _ in range(6):
        grade_chunk(first, context, provider)
        (first,) = clock.next()
    grade_all(others, context, provider)
    assert system.ok("GET", f"/v1/evals/{run.eval_id}/runs/{run.id}")["result_counts"]["passed"] == 100
    assert Run.load(run.id).paused is None, "cleared by what goes on"


def test_a_paused_run_that_is_canceled_stops(system: System, context: Any, clock: Clock) -> None:
    run, cut = planned(system, [row(n) for n in range(60)])
    provider = Away()
    grade_all(cut, context, provider)
    system.ok("POST", f"/v1/evals/{run.eval_id}/runs/{run.id}/cancel")
    asked = len(provider.asked)
    while due := clock.next():
        grade_all(due, context, provider)
    assert len(provider.asked) == asked
    stored = Run.load(run.id)
    assert (stored.status, stored.paused) == ("canceled", None)


def test_a_limit_of_our_own_is_no_outage(system: System, context: Any, clock: Clock) -> None:
    class Full(Counting):
        """Has no room for one of the rows."""

        async def complete(self, request: dict[str, Any], **options: Any) -> Answer:
            if asked_for(request) == "row 1":
                raise OverLimit("lab")
            return await super().complete(request, **options)

    run, (chunk,) = planned(system, [row(n) for n in range(3)])
    grade_chunk(chunk, context, Full())
    stored = Run.load(run.id)
    assert (stored.status, stored.paused) == ("in_progress", None)
    again = Counting()
    grade_all(clock.next(), context, again)
    assert [asked_for(request) for request in again.asked] == ["row 1"]
    assert counts(run.id) == (3, 3, 0, 0)


def test_the_queue_delays_what_goes_back(system: System, context: Any) -> None:
    _, (chunk,) = planned(system, [row(1)])
    grade_chunk(chunk, context, Away())
    assert system.deliver("GRADE") == 0, "it is there, and not yet to be had"
