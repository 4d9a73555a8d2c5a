"""A run that is sampled by the Batch API asks and pays for each row once, whatever is redelivered or lost."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from openai.resources import Files

from evals.run import Run
from grading import plan
from grading.batch import sample_batch
from providers import ProviderAway, ProviderRefused
from providers.batch_api import BatchAPI
from tests.conftest import Context
from tests.flow.loop import lab_calls
from tests.flow.system import System
from tests.grading.build import CHECK, MODEL, row
from tests.grading.clock import Clock

ROWS = 130


@pytest.fixture
def clock(system: System, monkeypatch: pytest.MonkeyPatch) -> Clock:
    assert system
    monkeypatch.setattr(plan, "_CHUNKS_A_BATCH", 2)
    return Clock(monkeypatch)


@pytest.fixture
def began(system: System) -> Callable[..., Run]:
    """A planned run of 130 rows, by two batches that are started."""

    def begin(rows: int = ROWS, *, text: str | None = None, **fields: Any) -> Run:
        config = {"type": "custom", "item_schema": {"type": "object"}}
        asked = {"data_source_config": config, "testing_criteria": [CHECK]}
        eval_id = system.ok("POST", "/v1/evals", asked)["id"]
        content = {"type": "file_content", "content": [row(number, text=text) for number in range(rows)]}
        source = {"type": "completions", "source": content, "model": MODEL, "batch": True, **fields}
        run_id = system.ok("POST", f"/v1/evals/{eval_id}/runs", {"data_source": source})["id"]
        system.deliver("PLAN")
        system.deliver("PLAN")
        return Run.load(run_id)

    return begin


def finish(system: System, context: Any, clock: Clock, run: Run) -> dict[str, Any]:
    """Let time pass until nothing waits, and grade; the run in the end."""
    for _ in range(200):
        for message in clock.next():
            sample_batch(message, context)
        if not clock.waiting():
            break
    system.settle()
    shown: dict[str, Any] = system.ok("GET", f"/v1/evals/{run.eval_id}/runs/{run.id}")
    return shown


def test_rows_are_sampled_by_batches_and_booked_at_their_price(
    system: System, context: Any, clock: Clock, began: Callable[..., Run]
) -> None:
    before = lab_calls(system)
    run = began()
    assert len(clock.waiting()) == 2
    assert run.result_counts.total == 0
    ended = finish(system, context, clock, run)
    after = lab_calls(system)
    assert (ended["status"], ended["result_counts"]["total"], ended["result_counts"]["errored"]) == (
        "completed",
        130,
        0,
    )
    assert after["batches"] - before["batches"] == 2
    assert after["chat"][MODEL] - before["chat"].get(MODEL, 0) == 130
    (usage,) = ended["per_model_usage"]
    assert (usage["model_name"], usage["batch"], usage["invocation_count"]) == (MODEL, True, 130)
    assert clock.delays[0] == 30


def test_what_the_eval_has_paid_for_is_in_no_batch(
    system: System, context: Any, clock: Clock, began: Callable[..., Run]
) -> None:
    first = began()
    finish(system, context, clock, first)
    before = lab_calls(system)
    source = first.data_source.model_dump(exclude_none=True)
    again = system.ok("POST", f"/v1/evals/{first.eval_id}/runs", {"data_source": source})["id"]
    system.settle()
    ended = finish(system, context, clock, Run.load(again))
    assert (ended["status"], ended["result_counts"]["total"], ended["per_model_usage"]) == ("completed", 130, [])
    assert lab_calls(system) == before


def test_redelivered_messages_and_a_lost_answer_start_one_batch_a_part(
    system: System, context: Any, clock: Clock, began: Callable[..., Run]
) -> None:
    before = lab_calls(system)["batches"]
    fault = {"path": "/batches", "status": 500, "times": 1, "when": "after"}
    assert httpx.post(f"{system.lab}/lab/faults", json=fault).status_code == 200
    run = began()
    for message in [*clock.waiting(), *clock.waiting()]:
        sample_batch(message.model_copy(update={"put_back": message.put_back - 1}), context)
    ended = finish(system, context, clock, run)
    assert (ended["status"], ended["result_counts"]["total"]) == ("completed", 130)
    assert lab_calls(system)["batches"] - before == 2
    assert sum(used["invocation_count"] for used in ended["per_model_usage"]) == 130


def test_what_a_batch_leaves_unanswered_is_asked_one_by_one(
    system: System, context: Any, clock: Clock, began: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = BatchAPI.answers

    def every_second(self: BatchAPI, state: Any) -> list[Any]:
        return list(answers(self, state))[::2]

    monkeypatch.setattr(BatchAPI, "answers", every_second)
    ended = finish(system, context, clock, began())
    assert (ended["status"], ended["result_counts"]["errored"]) == ("completed", 0)
    calls = {used["batch"]: used["invocation_count"] for used in ended["per_model_usage"]}
    assert calls == {True: 65, False: 65}


def test_an_odd_line_of_a_batchs_output_costs_the_others_nothing(
    system: System, context: Any, clock: Clock, began: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line with -Infinity is read; what nobody can read is asked for one by one."""
    odd = [b"oops", b"[]", b"3", b'{"custom_id": 7}', b'{"custom_id": "a", "response": []}', b"[" * 5000]

    def content(self: Files, file_id: str, **options: Any) -> Any:
        lines = fetch(self, file_id, **options).content.splitlines()
        without = lines[1].replace(b'"choices":', b'"others":')
        infinite = lines[2].replace(b'"logprobs":null', b'"logprobs":{"content":[{"logprob":-Infinity}]}')
        assert without != lines[1]
        assert infinite != lines[2]
        return SimpleNamespace(content=b"\n".join([*odd, lines[0][:-9], without, infinite, *lines[3:]]))

    fetch = Files.content
    monkeypatch.setattr(Files, "content", content)
    ended = finish(system, context, clock, began(40))
    assert (ended["status"], ended["result_counts"]["total"], ended["result_counts"]["errored"]) == ("completed", 40, 0)
    calls = {used["batch"]: used["invocation_count"] for used in ended["per_model_usage"]}
    assert calls == {True: 38, False: 2}


def test_a_provider_that_takes_no_batches_costs_nothing(
    system: System, context: Any, clock: Clock, began: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise ProviderRefused(404, b'{"error": {"message": "Invalid URL (POST /v1/batches)"}}', {})

    monkeypatch.setattr(BatchAPI, "start", refuse)
    before = lab_calls(system)
    ended = finish(system, context, clock, began())
    assert ended["status"] == "failed"
    assert ended["error"] == {"code": "batch_refused", "message": "Invalid URL (POST /v1/batches)"}
    assert lab_calls(system) == before


def test_a_long_refusal_of_a_batch_ends_its_run_and_is_cut(
    system: System, context: Any, clock: Clock, began: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise ProviderRefused(400, b'{"error": {"message": "' + b"no, " * 150_000 + b'"}}', {})

    monkeypatch.setattr(BatchAPI, "start", refuse)
    error = finish(system, context, clock, began(1))["error"]
    assert (error["code"], error["message"][:4], len(error["message"]) < 10_000) == ("batch_refused", "no, ", True)


def test_a_provider_that_stays_away_for_a_day_is_asked_row_by_row(
    system: System, context: Any, clock: Clock, began: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> None:
        raise ProviderAway(503, b"{}", {})

    monkeypatch.setattr(BatchAPI, "find", away)
    start = clock.now
    run = began(60)
    for waited in (20_000, 86_399):
        clock.now = start + waited
        for message in clock.next():
            sample_batch(message, context)
    assert (clock.delays[-1], len(clock.waiting())) == (900, 1)
    ended = finish(system, context, clock, run)
    assert (ended["status"], ended["result_counts"]["total"]) == ("completed", 60)
    assert [used["batch"] for used in ended["per_model_usage"]] == [False]
    assert clock.now - start >= 86_400


def test_a_provider_that_is_away_when_the_batch_ends_is_waited_for(
    system: System, context: Any, clock: Clock, began: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answers are paid for, however long they took."""
    answers, look = BatchAPI.answers, BatchAPI.look
    began_at, fails = clock.now, [True] * 6

    def late(self: BatchAPI, batch_id: str) -> Any:
        return look(self, batch_id)._replace(ended=clock.now - began_at > 90_000)

    def shaky(self: BatchAPI, state: Any) -> Any:
        if fails and fails.pop():
            raise ProviderAway(503, b"{}", {})
        return answers(self, state)

    monkeypatch.setattr(BatchAPI, "look", late)
    monkeypatch.setattr(BatchAPI, "answers", shaky)
    run = began()
    clock.now += 89_000
    ended = finish(system, context, clock, run)
    assert not fails
    assert ended["status"] == "completed"
    assert [(used["batch"], used["invocation_count"]) for used in ended["per_model_usage"]] == [(True, 130)]


def test_a_batch_for_which_the_provider_has_no_room_is_started_again(
    system: System, context: Any, clock: Clock, began: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    look, full = BatchAPI.look, [True] * 3

    def no_room(self: BatchAPI, batch_id: str) -> Any:
        state = look(self, batch_id)
        return state._replace(status="failed", code="token_limit_exceeded") if full and full.pop() else state

    monkeypatch.setattr(BatchAPI, "look", no_room)
    before = lab_calls(system)["batches"]
    ended = finish(system, context, clock, began())
    assert (ended["status"], ended["result_counts"]["total"]) == ("completed", 130)
    assert lab_calls(system)["batches"] - before == 2 + 3


def test_a_batch_for_which_there_never_is_room_fails_its_run_when_the_patience_is_over(
    system: System, context: Any, clock: Clock, began: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    look = BatchAPI.look

    def no_room(self: BatchAPI, batch_id: str) -> Any:
        full = {"status": "failed", "code": "token_limit_exceeded", "message": "Enqueued token limit reached."}
        return look(self, batch_id)._replace(**full)

    monkeypatch.setattr(BatchAPI, "look", no_room)
    run = began(50)
    [first] = clock.next()
    sample_batch(first, context)
    [again] = clock.next()
    assert (again.attempt, again.full_since > 0) == (1, True)
    # The refusal is one day old.
    sample_batch(again.model_copy(update={"full_since": clock.now - 86_400, "attempt": 0}), context)
    assert clock.next() == []
    ended = Run.load(run.id)
    assert ended.status == "failed"
    assert ended.error == {"code": "token_limit_exceeded", "message": "Enqueued token limit reached."}
    assert system.dead("PLAN") == []


def test_a_batch_that_never_ends_fails_its_run_after_its_day_and_the_patience(
    system: System, context: Any, clock: Clock, began: Callable[..., Run], canceled: set[str]
) -> None:
    run = began(50)
    clock.now += 2 * 86_400 - 60
    [message] = clock.next()
    sample_batch(message, context)
    assert (Run.load(run.id).status, canceled) == ("in_progress", set())
    for late in clock.next():
        sample_batch(late, context)
    ended = Run.load(run.id)
    assert (ended.status, (ended.error or {})["code"], len(canceled)) == ("failed", "batch_expired", 1)
    assert (clock.next(), system.dead("PLAN")) == ([], [])


def test_the_same_request_in_two_chunks_is_booked_once(
    system: System, context: Any, clock: Clock, began: Callable[..., Run]
) -> None:
    ended = finish(system, context, clock, began(text="always the same"))
    assert ended["result_counts"]["total"] == 130
    assert sum(used["invocation_count"] for used in ended["per_model_usage"]) == 2, "one a part"


@pytest.fixture
def canceled(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The batches that were canceled; none ends by itself."""
    custom_ids: set[str] = set()
    look, find = BatchAPI.look, BatchAPI.find

    def still_found(self: BatchAPI, intent: str) -> Any:
        state = find(self, intent)
        return state and state._replace(ended=False)

    monkeypatch.setattr(BatchAPI, "cancel", lambda _, batch_id: custom_ids.add(batch_id))
    monkeypatch.setattr(BatchAPI, "look", lambda self, batch_id: look(self, batch_id)._replace(ended=False))
    monkeypatch.setattr(BatchAPI, "find", still_found)
    return custom_ids


@pytest.mark.parametrize("ending", ["canceled", "failed", "deleted"])
def test_a_run_that_ended_otherwise_cancels_its_batches(
    system: System, clock: Clock, began: Callable[..., Run], canceled: set[str], ending: str
) -> None:
    run = began()
    path = f"/v1/evals/{run.eval_id}/runs/{run.id}"
    if ending == "canceled":
        system.ok("POST", f"{path}/cancel", {})
    elif ending == "deleted":
        system.ok("DELETE", path)
    else:
        run.finish(status="failed")
    for message in clock.next():
        sample_batch(message, Context())
    assert len(canceled) == 2
    assert not clock.waiting()


def test_a_canceled_run_stays_so(system: System, context: Any, clock: Clock, began: Callable[..., Run]) -> None:
    run = began()
    system.ok("POST", f"/v1/evals/{run.eval_id}/runs/{run.id}/cancel", {})
    ended = finish(system, context, clock, run)
    assert (ended["status"], ended["result_counts"]["total"]) == ("canceled", 0)


def test_a_batch_needs_a_model(system: System) -> None:
    config = {"type": "custom", "item_schema": {"type": "object"}}
    eval_id = system.ok("POST", "/v1/evals", {"data_source_config": config, "testing_criteria": [CHECK]})["id"]
    content = {"type": "file_content", "content": [row(1)]}
    source = {"type": "completions", "source": content, "batch": True}
    status, refusal = system.call("POST", f"/v1/evals/{eval_id}/runs", {"data_source": source})
    assert (status, refusal["error"]["param"]) == (400, "data_source.model")
