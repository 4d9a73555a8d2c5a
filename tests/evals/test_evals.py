import random

import orjson
import pytest
from pydantic import TypeAdapter, ValidationError

from evals.counts import ChunkCounts, CriterionResult, ResultCounts, graded_chunks, totals
from evals.data_sources import DataSource
from evals.eval import Eval
from evals.output_items import items_key, output_item_id, output_items
from evals.run import Run, new_run
from foundation import blobs
from providers.usage import ModelUsage

STORED = {"type": "completions", "source": {"type": "stored_completions", "metadata": {"split": "test"}}}
source = TypeAdapter(DataSource).validate_python


def chunk(number, *, passed=0, failed=0, errored=0, usage=(), criteria=(), latency_ms=0):
    counts = ResultCounts(total=passed + failed + errored, passed=passed, failed=failed, errored=errored)
    return ChunkCounts(
        chunk=number,
        chunks=3,
        first_row=50 * number,
        counts=counts,
        usage=list(usage),
        criteria=list(criteria),
        latency_ms=latency_ms,
    )


def run_of(cloud_eval, **fields):
    made = new_run("evalrun_1", cloud_eval, name="r", data_source=source(STORED), **fields)
    made.create()
    return made


@pytest.fixture
def eval_(cloud):  # noqa: ARG001 - an eval lies in the table
    made = Eval(id="eval_1", created_at=1, name="e", data_source_config={"type": "custom"}, testing_criteria=[])
    made.create()
    return made


def test_totals_are_the_sums_of_the_chunks():
    def asked(model, number):
        return ModelUsage(
            model_name=model,
            invocation_count=number,
            prompt_tokens=10 * number,
            completion_tokens=number,
            total_tokens=11 * number,
            cached_tokens=2 * number,
        )

    def judged(name, passed, failed):
        return CriterionResult(testing_criteria=name, passed=passed, failed=failed)

    chunks = [
        chunk(0, passed=30, failed=19, errored=1, usage=[asked("a", 50)], criteria=[judged("x", 31, 18)], latency_ms=7),
        chunk(1, passed=2, usage=[asked("judge", 1), asked("a", 2)], criteria=[judged("y", 1, 1)], latency_ms=5),
        chunk(2, failed=1, usage=[asked("judge", 1)], criteria=[judged("x", 0, 1), judged("y", 1, 0)]),
    ]
    added = totals(chunks)
    assert added["result_counts"] == {"total": 53, "passed": 32, "failed": 20, "errored": 1}
    assert {usage["model_name"]: usage for usage in added["per_model_usage"]} == {
        "a": asked("a", 52).model_dump(),
        "judge": asked("judge", 2).model_dump(),
    }
    assert added["per_testing_criteria_results"] == [
        judged("x", 31, 19).model_dump(),
        judged("y", 2, 1).model_dump(),
    ]
    assert added["latency_ms"] == 12
    assert chunks[0].counts.total == 50, "adding up changes no chunk"
    assert totals(chunks) == added


def test_nothing_adds_up_to_nothing():
    assert totals([]) == {
        "result_counts": {"total": 0, "passed": 0, "failed": 0, "errored": 0},
        "per_model_usage": [],
        "answer_usage": [],
        "per_testing_criteria_results": [],
        "latency_ms": 0,
        "timed_rows": 0,
        "latency_p50_ms": None,
        "latency_p95_ms": None,
    }


def test_latencies_add_up_to_their_quantiles():
    chunks = [chunk(0), chunk(1), chunk(2)]
    chunks[0].latencies_ms, chunks[2].latencies_ms = [1, 3, 900], [2, 40]
    added = totals(chunks)
    assert (added["latency_p50_ms"], added["latency_p95_ms"]) == (3, 900)


def test_usage_as_providers_give_it():
    usage = ModelUsage(model_name="a")
    usage.add({"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7})
    usage.add({"prompt_tokens": 5, "total_tokens": None, "prompt_tokens_details": {"cached_tokens": 3}})
    usage.merge(ModelUsage(model_name="a", invocation_count=4, cached_tokens=1))
    assert usage.model_dump() == {
        "model_name": "a",
        "batch": False,
        "invocation_count": 6,
        "prompt_tokens": 10,
        "completion_tokens": 2,
        "total_tokens": 7,
        "cached_tokens": 4,
    }


@pytest.mark.usefixtures("cloud")
def test_a_chunk_counts_once_whatever_is_delivered():
    written = [chunk(number, passed=number) for number in range(12)]
    for message in random.Random(1).sample(written, 12):
        message.write_once("evalrun_1")
    chunk(3, passed=99).write_once("evalrun_1")
    chunk(0, passed=5).write_once("evalrun_2")
    assert graded_chunks("evalrun_1") == written
    assert totals(graded_chunks("evalrun_1"))["result_counts"]["passed"] == sum(range(12))


def test_an_output_item_is_named_by_its_run_and_row():
    first = output_item_id("evalrun_1", 0)
    assert first == output_item_id("evalrun_1", 0)
    assert first.startswith("outputitem_")
    names = {output_item_id(run, row) for run in ("evalrun_1", "evalrun_2", "evalrun_11") for row in range(50)}
    assert len(names) == 150


@pytest.mark.usefixtures("cloud")
def test_output_items_are_the_lines_of_their_chunk():
    items = [{"id": "a", "text": "two\nlines\u2028"}, {"id": "b"}]
    blobs.put(items_key("evalrun_1", 2), b"\n".join(map(orjson.dumps, items)) + b"\n")
    assert output_items("evalrun_1", 2) == items
    assert items_key("evalrun_1", 2) < items_key("evalrun_1", 10)


def test_a_run_comes_back_with_its_source(eval_):
    run = run_of(eval_, metadata={"a": "b"}, distillation_id="distill_1")
    stored = Run.load("evalrun_1")
    assert stored == run
    assert stored.data_source.source.metadata == {"split": "test"}
    assert (stored.status, stored.model, stored.eval_id, stored.ended) == ("queued", "", "eval_1", False)
    assert Run.page(parent="eval_1").data == [run]


def test_a_run_that_samples_names_its_model(eval_):
    run = new_run("evalrun_1", eval_, name="r", data_source=source({**STORED, "model": "lab-small"}))
    assert run.model == "lab-small"


def test_a_finished_run_says_so_with_its_summary(eval_):
    run = run_of(eval_, distillation_id="distill_1")
    run.finish(status="completed", **totals([chunk(0, passed=3)]))
    stored = Run.load(run.id)
    assert (stored.status, stored.ended, stored.result_counts.passed) == ("completed", True, 3)
    assert orjson.loads(blobs.get("runs/evalrun_1/summary.json")) == {
        "run_id": "evalrun_1",
        "eval_id": "eval_1",
        "distillation_id": "distill_1",
        "dataset_id": None,
        "learning_curve_id": None,
        "rollout_id": None,
    }


def test_a_cancelled_run_stays_cancelled(eval_):
    run = run_of(eval_)
    run.change({"status": "canceled"})
    run.finish(status="completed")
    assert Run.load(run.id).status == "canceled"
    assert blobs.find("runs/evalrun_1/summary.json"), "who waits for it is told all the same"


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "jsonl"},
        {"type": "responses", "source": {"type": "stored_completions"}},
        {"type": "jsonl", "source": {"type": "stored_completions"}},
        {"type": "jsonl", "source": {"type": "file_content", "content": []}},
        {"type": "completions", "source": {"type": "stored_completions", "limit": 0}},
        {**STORED, "input_messages": {"type": "item_reference", "item_reference": "sample.input"}},
        {**STORED, "input_messages": {"type": "template", "template": []}},
        {**STORED, "input_messages": {"type": "template", "template": [{"role": "robot", "content": "x"}]}},
    ],
)
def test_a_source_of_another_shape_is_refused(wrong):
    with pytest.raises(ValidationError):
        source(wrong)
