"""Grading chunks: exact counts under every redelivery, nothing asked twice, nobody in each other's way."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

import pytest

from evals.data_sources import Message, MessageTemplate, ResponsesSource
from evals.eval import Eval
from evals.output_items import output_item_id, output_items
from evals.run import Run
from foundation import blobs, lease, table
from foundation.errors import RetryLater
from foundation.events import GradeChunk
from grading import pause
from grading.calls import Calls
from grading.grade import grade_chunk
from grading.item import grade_row
from providers import Answer
from tests.flow import loop
from tests.flow.system import FakeContext, System
from tests.grading.build import (
    CHECK,
    JUDGE,
    MODEL,
    Counting,
    asked_for,
    break_off_once,
    chunks,
    counts,
    judged,
    planned,
    row,
    started,
    summary_landed,
    usage,
    with_sample,
)


def test_a_run_of_several_chunks_adds_up_though_every_message_comes_twice(system: System) -> None:
    rows = [with_sample(row(n), "yes" if n % 4 else "no") for n in range(119)]
    rows.append({"item": {"n": 119}, "sample": {"output_text": "yes"}})
    run = started(system, rows, model=None)
    system.doubled = True
    system.settle()
    assert Run.load(run.id).status == "completed"
    assert counts(run.id) == (120, 89, 30, 1)
    items = [item for chunk in range(3) for item in output_items(run.id, chunk)]
    assert [item["datasource_item_id"] for item in items] == list(range(120))
    assert [item["id"] for item in items] == [output_item_id(run.id, n) for n in range(120)]
    statuses = Counter(item["status"] for item in items)
    assert statuses == {"pass": 89, "fail": 31}


def test_sampled_rows_are_paid_once_though_every_message_comes_twice(system: System) -> None:
    before = Counter(loop.lab_calls(system)["chat"])
    run = started(system, [row(n, text=f"twice {n}: billing or login") for n in range(60)], JUDGE)
    system.doubled = True
    system.settle()
    assert Run.load(run.id).status == "completed"
    asked = Counter(loop.lab_calls(system)["chat"]) - before
    assert asked[MODEL] == 60
    assert usage(run)[MODEL][0] == 60
    assert usage(run)["lab-judge"][0] == 60
    assert counts(run.id)[0] == 60


def test_chunks_in_any_order_end_the_run_with_the_last(system: System, context: Any) -> None:
    run, cut = planned(system, [row(n) for n in range(120)])
    provider = Counting()
    for done, chunk in enumerate((cut[2], cut[0], cut[0], cut[1])):
        assert Run.load(run.id).status == "in_progress", done
        assert not summary_landed(run)
        grade_chunk(chunk, context, provider)
    assert Run.load(run.id).status == "completed"
    assert counts(run.id) == (120, 120, 0, 0)
    assert usage(run) == {MODEL: (120, 1440)}
    assert summary_landed(run)
    assert len(provider.asked) == 120


def test_a_graded_chunk_stays_as_it_is(system: System, context: Any) -> None:
    run, (chunk,) = planned(system, [row(n) for n in range(3)])
    grade_chunk(chunk, context, Counting())
    before = output_items(run.id, 0), counts(run.id)
    late = Counting(lambda _: "no")
    grade_chunk(chunk, context, late)
    assert (output_items(run.id, 0), counts(run.id)) == before
    assert late.asked == []


def test_what_was_answered_is_not_asked_again_when_the_provider_fails_in_the_middle(
    system: System, context: Any
) -> None:
    run, (chunk,) = planned(system, [row(n) for n in range(10)])
    provider = Counting(lambda request: None if asked_for(request) in {"row 3", "row 7"} else "yes")
    grade_chunk(chunk, context, provider)
    assert Counter(map(asked_for, provider.asked)) == {f"row {n}": 1 for n in range(10)}
    assert counts(run.id) == (0, 0, 0, 0)
    assert Run.load(run.id).status == "in_progress"
    again = Counting()
    grade_chunk(chunk, context, again)
    assert sorted(map(asked_for, again.asked)) == ["row 3", "row 7"]
    assert counts(run.id) == (10, 10, 0, 0)
    assert usage(run) == {MODEL: (10, 120)}


def test_a_sample_is_stored_before_it_is_graded(system: System, context: Any) -> None:
    run, (chunk,) = planned(system, [row(n, reference="yes" if n else "no") for n in range(4)], JUDGE)
    down = Counting(lambda request: None if "response_format" in request else "yes")
    grade_chunk(chunk, context, down)
    assert len(down.asked) > 4
    up = Counting(judged)
    grade_chunk(chunk, context, up)
    assert {request["model"] for request in up.asked} == {"lab-judge"}
    assert counts(run.id) == (4, 3, 1, 0)
    # Three of the four judgements are the same question, asked and paid once.
    assert usage(run) == {MODEL: (4, 48), "lab-judge": (2, 24)}


def test_nothing_is_asked_again_after_a_crash_before_the_counts_are_written(
    system: System, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, (chunk,) = planned(system, [row(n) for n in range(5)])
    put, provider = blobs.put, Counting()

    def breaking(key: str, *arguments: Any, **options: Any) -> None:
        if "/chunks/" in key:
            raise ConnectionError(key)
        put(key, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(blobs, "put", breaking)
        with pytest.raises(ConnectionError):
            grade_chunk(chunk, context, provider)
    grade_chunk(chunk, context, provider)
    assert len(provider.asked) == 5
    assert counts(run.id) == (5, 5, 0, 0)


def test_a_run_that_ended_tells_so_though_its_last_delivery_broke_off(
    system: System, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, (chunk,) = planned(system, [row(1)])
    break_off_once(monkeypatch)
    with pytest.raises(ConnectionError):
        grade_chunk(chunk, context, Counting())
    assert not summary_landed(run)
    late = Counting()
    grade_chunk(chunk, context, late)
    assert summary_landed(run)
    assert late.asked == []
    assert counts(run.id) == (1, 1, 0, 0)


def test_identical_requests_are_asked_once_and_answer_every_row(system: System, context: Any) -> None:
    rows = [row(n, text="the same") for n in range(6)] + [row(6, text="another")]
    run, (chunk,) = planned(system, rows)
    provider = Counting(lambda request: "yes" if asked_for(request) == "the same" else "no")
    grade_chunk(chunk, context, provider)
    assert Counter(map(asked_for, provider.asked)) == {"the same": 1, "another": 1}
    assert counts(run.id) == (7, 6, 1, 0)
    (used,) = Run.load(run.id).per_model_usage
    assert used.invocation_count == len(provider.asked), "what was not paid for is not booked"


def test_the_calls_of_a_chunk_run_at_the_same_time(system: System, context: Any) -> None:
    class Together(Counting):
        """Answers nobody before twenty have asked."""

        def __init__(self) -> None:
            super().__init__()
            self.all_there = asyncio.Event()

        async def complete(self, request: dict[str, Any], **options: Any) -> Answer:
            answer = await super().complete(request, **options)
            if len(self.asked) == 20:
                self.all_there.set()
            await asyncio.wait_for(self.all_there.wait(), 5)
            return answer

    run, (chunk,) = planned(system, [row(n) for n in range(20)])
    grade_chunk(chunk, context, Together())
    assert counts(run.id) == (20, 20, 0, 0)


def test_a_chunk_at_work_keeps_another_delivery_out(system: System, context: Any) -> None:
    run, (first, second) = planned(system, [row(n) for n in range(51)])
    provider = Counting()
    with lease.held(run.id, "CHUNK#0", context):
        with pytest.raises(RetryLater):
            grade_chunk(first, context, provider)
        assert provider.asked == []
        grade_chunk(second, context, provider)
        assert len(provider.asked) == 1
    grade_chunk(first, context, provider)
    assert counts(run.id) == (51, 51, 0, 0)


def test_a_holder_that_was_killed_blocks_only_as_long_as_it_could_have_lived(
    system: System, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, (chunk,) = planned(system, [row(1)])
    killed = lease.held(run.id, "CHUNK#0", context)
    killed.__enter__()
    with pytest.raises(RetryLater):
        grade_chunk(chunk, context, Counting())
    clock = lease.now_ms
    monkeypatch.setattr(lease, "now_ms", lambda: clock() + context.get_remaining_time_in_millis() + 4_000)
    grade_chunk(chunk, context, Counting())
    assert counts(run.id) == (1, 1, 0, 0)
    killed.__exit__(None, None, None)


def test_a_provider_that_is_away_sends_the_message_back_to_its_queue(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = started(system, [row(n, text=f"away {n}: billing or login") for n in range(2)])
    system.deliver("PLAN")
    with monkeypatch.context() as patch:
        patch.setattr(FakeContext, "get_remaining_time_in_millis", lambda _: 5_600)
        ask = "providers.openai_compatible.OpenAICompatible._ask"
        patch.setattr(ask, nobody_answers)
        patch.setattr(pause, "_LEAST_S", 0)
        before = time.monotonic()
        assert system.deliver("GRADE") == 1
        assert time.monotonic() - before < 5
    assert Run.load(run.id).status == "in_progress"
    system.settle()
    assert Run.load(run.id).status == "completed"
    assert counts(run.id)[0] == 2
    assert system.dead("GRADE") == []


async def nobody_answers(*_: Any, **__: Any) -> bytes:
    from providers import ProviderAway

    raise ProviderAway(503, b"{}", {})


def test_a_canceled_run_is_neither_sampled_nor_revived(system: System, context: Any) -> None:
    run, (first, last) = planned(system, [row(n) for n in range(51)])
    grade_chunk(first, context, Counting())
    run.change({"status": "canceled"})
    provider = Counting()
    grade_chunk(last, context, provider)
    assert provider.asked == []
    assert Run.load(run.id).status == "canceled"


def test_a_run_canceled_while_its_last_chunk_is_graded_stays_canceled(system: System, context: Any) -> None:
    run, (chunk,) = planned(system, [row(1)])

    def cancel(_: dict[str, Any]) -> str:
        run.change({"status": "canceled"})
        return "yes"

    grade_chunk(chunk, context, Counting(cancel))
    assert Run.load(run.id).status == "canceled"


def test_a_chunk_of_a_run_that_was_deleted_is_done_with(system: System, context: Any) -> None:
    lost = GradeChunk(run_id="evalrun_no", chunk=0, chunks=1, first_row=0, key="runs/x", offset=0, length=1)
    provider = Counting()
    grade_chunk(lost, context, provider)
    assert provider.asked == []
    assert chunks(system) == []
    assert table.get("evalrun_no", "LEASE#CHUNK#0") is None


def template(content: Any) -> MessageTemplate:
    return MessageTemplate.model_construct(template=[Message.model_construct(role="user", content=content)])


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"input_messages": template(None)}, "not_gradable"),
        ({"input_messages": template([{"type": "input_image"}])}, "not_gradable"),
        ({"sampling_params": {"text": "json"}}, "sampling_failed"),
        ({"sampling_params": {"text": {"format": {"name": "x"}}}}, "sampling_failed"),
    ],
)
def test_a_row_that_no_request_can_be_made_of_is_errored_and_not_its_chunk(
    fields: dict[str, Any], code: str, system: System
) -> None:
    run, _ = planned(system, [row(0)])
    # As a run may be stored that was made before such a source was refused.
    odd = run.model_copy(update={"data_source": ResponsesSource.model_construct(model=MODEL, **fields)})
    provider = Counting()
    calls = Calls(f"runs/{run.id}/calls/", provider, 10)
    graded = asyncio.run(grade_row(odd, Eval.load(run.eval_id), 0, row(0), calls))
    assert (graded.errored, graded.passed, graded.usage, provider.asked) == (True, False, [], [])
    assert (graded.item["errored"], graded.item["sample"]["error"]["code"]) == (True, code)


def test_a_sample_of_odd_parts_errs_its_row_and_not_its_chunk(system: System) -> None:
    run, _ = planned(system, [row(0)], model=None)
    choice = {"finish_reason": ["x"], "message": {"role": "assistant", "content": "yes"}}
    for sample in ({"choices": [choice], "grades": 5}, {"choices": [{"text": "yes"}]}):
        odd = {**row(0), "sample": sample}
        calls = Calls(f"runs/{run.id}/calls/", Counting(), 10)
        graded = asyncio.run(grade_row(run, Eval.load(run.eval_id), 0, odd, calls))
        assert (graded.errored, graded.passed) == (True, False)


def test_an_answer_that_lacks_what_a_criterion_looks_at_is_a_fail_and_no_error(system: System, context: Any) -> None:
    label = {**CHECK, "input": "{{ sample.output_json.label }}", "reference": "yes"}
    text = {"format": {"type": "json_schema", "name": "s", "schema": {"type": "object"}}}
    content = {
        "type": "file_content",
        "content": [{"item": {"input": [{"role": "user", "content": str(n)}]}} for n in range(3)],
    }
    source = {"type": "responses", "source": content, "model": MODEL, "sampling_params": {"text": text}}
    says = {"0": '{"label": "yes"}', "1": '{"other": 1}', "2": "no JSON"}
    config = {"type": "custom", "item_schema": {"type": "object"}}
    eval_ = system.ok("POST", "/v1/evals", {"data_source_config": config, "testing_criteria": [label]})
    run = system.ok("POST", f"/v1/evals/{eval_['id']}/runs", {"data_source": source})
    system.deliver("PLAN")
    (chunk,) = chunks(system)
    grade_chunk(chunk, context, Counting(lambda request: says[request["messages"][0]["content"]]))
    assert counts(run["id"]) == (3, 1, 2, 0)
    [lacking] = output_items(run["id"], 0)[1]["results"]
    assert "'.label' is missing" in lacking["sample"]["errors"][0]
