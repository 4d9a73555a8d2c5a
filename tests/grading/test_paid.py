"""What an eval has paid for is asked once: by all chunks of all its runs, unless a run wants fresh samples."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from evals.output_items import output_items
from evals.run import Run
from foundation import aws, table
from grading.grade import grade_chunk
from providers.spending import spending
from tests.flow.system import System
from tests.grading.build import JUDGE, MODEL, Counting, asked_for, chunks, counts, judged, planned, row, usage


def again(system: System, run: Run, rows: list[dict[str, Any]], **source: Any) -> tuple[Run, list[Any]]:
    """Another run of the same eval, planned."""
    content = {"type": "file_content", "content": rows}
    asked = {"data_source": {"type": "completions", "source": content, "model": MODEL, **source}}
    made = Run.load(system.ok("POST", f"/v1/evals/{run.eval_id}/runs", asked)["id"])
    system.deliver("PLAN")
    return made, chunks(system)


def grade_all(cut: list[Any], context: Any, provider: Any) -> None:
    for chunk in cut:
        grade_chunk(chunk, context, provider)


def test_identical_rows_in_other_chunks_are_asked_once(system: System, context: Any) -> None:
    rows = [row(n, text=f"question {n % 40}") for n in range(150)]
    run, cut = planned(system, rows)
    provider = Counting()
    grade_all(cut, context, provider)
    assert Counter(map(asked_for, provider.asked)) == {f"question {n}": 1 for n in range(40)}
    assert counts(run.id) == (150, 150, 0, 0)
    assert usage(run) == {MODEL: (40, 480)}, "booked once"
    assert len(output_items(run.id, 2)[0]["sample"]["output"]) == 1


def test_a_second_run_pays_for_nothing_that_the_eval_has_asked(system: System, context: Any) -> None:
    rows = [row(n) for n in range(60)]
    first, cut = planned(system, rows, JUDGE)
    grade_all(cut, context, Counting(judged))
    second, cut = again(system, first, [*rows, row(60)])
    provider = Counting(judged)
    grade_all(cut, context, provider)
    assert [asked_for(request) for request in provider.asked if request["model"] == MODEL] == ["row 60"]
    assert counts(second.id) == (61, 61, 0, 0)
    assert usage(second)[MODEL] == (1, 12)
    (answers,) = Run.load(second.id).answer_usage
    assert (answers.model_name, answers.invocation_count) == (MODEL, 61), "what an answer costs is known, whoever paid"


def test_answers_that_came_with_the_rows_were_paid_by_who_made_them(system: System, context: Any) -> None:
    tokens = {"prompt_tokens": 1_000_000, "completion_tokens": 0, "total_tokens": 1_000_000}
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "yes"}}
    sample = {"model": "gpt-4o", "choices": [choice], "usage": tokens}
    run, cut = planned(system, [{**row(n), "sample": sample} for n in range(3)], model=None)
    grade_all(cut, context, Counting())
    shown = system.ok("GET", f"/v1/evals/{run.eval_id}/runs/{run.id}")
    assert (shown["status"], shown["per_model_usage"], shown["cost_usd"]) == ("completed", [], 0)
    assert shown["call_cost_usd"] == 2.5, "what such an answer costs is known all the same"
    assert (spending().evals_usd, spending().unpriced) == (0, 0)
    judged_run, cut = planned(system, [{**row(1), "sample": sample}], JUDGE, model=None)
    grade_all(cut, context, Counting(judged))
    assert usage(judged_run) == {"lab-judge": (1, 12)}, "a judge is paid by the run"


def test_another_parameter_another_model_another_eval_are_other_calls(system: System, context: Any) -> None:
    first, cut = planned(system, [row(1)])
    grade_all(cut, context, Counting())
    for source in ({"sampling_params": {"temperature": 0.5}}, {"model": "lab-judge"}):
        _, cut = again(system, first, [row(1)], **source)
        provider = Counting()
        grade_all(cut, context, provider)
        assert len(provider.asked) == 1
    _, cut = planned(system, [row(1)])
    provider = Counting()
    grade_all(cut, context, provider)
    assert len(provider.asked) == 1


def test_fresh_samples_are_asked_for_again_once_each(system: System, context: Any) -> None:
    rows = [row(n, text=f"question {n % 40}") for n in range(90)]
    first, cut = planned(system, rows)
    grade_all(cut, context, Counting())
    second, cut = again(system, first, rows, fresh=True)
    provider = Counting(lambda _: "no")
    grade_all(cut, context, provider)
    assert len(provider.asked) == 40
    assert counts(second.id) == (90, 0, 90, 0)
    assert system.ok("GET", f"/v1/evals/{first.eval_id}/runs/{second.id}")["data_source"]["fresh"] is True


def test_answers_that_were_deleted_with_their_run_are_asked_for_again(system: System, context: Any) -> None:
    first, cut = planned(system, [row(n) for n in range(3)])
    grade_all(cut, context, Counting())
    assert system.call("DELETE", f"/v1/evals/{first.eval_id}/runs/{first.id}")[0] == 200
    second, cut = again(system, first, [row(n) for n in range(3)])
    provider = Counting()
    grade_all(cut, context, provider)
    assert len(provider.asked) == 3
    assert counts(second.id) == (3, 3, 0, 0)


def test_what_a_dead_worker_could_not_publish_is_published_by_the_next(
    system: System, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row(n, text=f"question {n % 50}") for n in range(100)]
    _, (first, second) = planned(system, rows)
    write_all = table.write_all

    def killed(*_: Any) -> None:
        raise SystemExit

    provider = Counting()
    monkeypatch.setattr(table, "write_all", killed)
    with pytest.raises(SystemExit):
        grade_chunk(first, context, provider)
    monkeypatch.setattr(table, "write_all", write_all)
    grade_all([first, second], context, provider)
    assert len(provider.asked) == 50


def test_answers_are_looked_up_and_told_in_batches(system: System, context: Any) -> None:
    _, cut = planned(system, [row(n) for n in range(50)])
    calls: Counter[str] = Counter()

    for operation in ("BatchGetItem", "BatchWriteItem"):
        aws.dynamodb().meta.events.register(
            f"before-call.dynamodb.{operation}", lambda model, **_: calls.update([model.name])
        )
    grade_all(cut, context, Counting())
    assert calls["BatchWriteItem"] == 2
    assert 1 <= calls["BatchGetItem"] <= 5, "calls of a moment are looked up together, and 50 take a few moments"
