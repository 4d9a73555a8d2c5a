import random

import pytest

from evals.counts import ChunkCounts, CriterionResult, ResultCounts, all_graded, chunks_from, graded_chunks, totals
from foundation import table
from providers.usage import ModelUsage
from stats.moments import Moments


def result(score, *, passed=True, **fields):
    return {"passed": passed, "score": score, **fields}


def counted(*results):
    result = CriterionResult(testing_criteria="c")
    for graded in results:
        result.add(graded)
    return result


def test_errors_fail_and_have_no_score():
    counts = counted(result(1.0), result(0.0, passed=False), result(0.0, passed=False, sample={"error": {"code": "x"}}))
    assert (counts.passed, counts.failed, counts.errored) == (1, 2, 1)
    assert counts.scores == Moments.of([1.0, 0.0])
    assert not counts.fractions


def test_a_sample_without_an_error_and_a_score_between_count():
    counts = counted(result(0.5, sample={"steps": []}), result(1, sample=None))
    assert (counts.errored, counts.scores.n, counts.fractions) == (0, 2, True)


def test_a_score_that_is_no_number_is_left_out():
    assert counted(result(float("nan")), result(0.25)).scores == Moments.of([0.25])


@pytest.mark.usefixtures("cloud")
def test_the_chunks_in_the_table_add_up_to_the_run():
    rng = random.Random(1)
    scores = [rng.random() for _ in range(137)]
    for number in range(3):
        part = counted(*(result(score, passed=score > 0.5) for score in scores[50 * number : 50 * number + 50]))
        ChunkCounts(
            chunk=number, chunks=3, first_row=50 * number, counts=ResultCounts(), usage=[], criteria=[part]
        ).write_once("evalrun_1")
    (criterion_result,) = totals(graded_chunks("evalrun_1"))["per_testing_criteria_results"]
    whole = CriterionResult.model_validate(criterion_result)
    assert whole.scores == pytest.approx(Moments.of(scores))
    assert whole.fractions
    assert whole.passed == sum(score > 0.5 for score in scores)


def test_rows_written_before_there_were_scores_are_read():
    old = CriterionResult.model_validate({"testing_criteria": "c", "passed": 3, "failed": 1})
    assert (old.scores.n, old.fractions, old.errored) == (0, False, 0)


def graded(number, chunks=1):
    ChunkCounts(chunk=number, chunks=chunks, first_row=0, counts=ResultCounts(), usage=[], criteria=[]).write_once("r")


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize("chunks", [1, 99, 100, 101, 230])
def test_whoever_grades_the_last_chunk_in_any_order_sees_that_all_are(chunks):
    order = list(range(chunks))
    random.Random(chunks).shuffle(order)
    seen = []
    for number in order:
        graded(number, chunks)
        seen.append(all_graded("r", number, chunks))
    assert seen == [False] * (chunks - 1) + [True]
    assert all_graded("r", order[-1], chunks), "so does its redelivery"


@pytest.mark.usefixtures("cloud")
def test_chunks_are_read_from_a_place_on_a_few_at_a_time(monkeypatch):
    for number in range(11):
        graded(number)
    asked = []
    query = table.query
    monkeypatch.setattr(table, "query", lambda *given, **how: asked.append(how["limit"]) or query(*given, **how))
    assert next(chunks_from("r", 7)).chunk == 7
    assert asked == [4]
    assert [chunk.chunk for chunk in chunks_from("r", 7)] == [7, 8, 9, 10]
    assert [chunk.chunk for chunk in chunks_from("r", 6, descending=True)] == [6, 5, 4, 3, 2, 1, 0]
    assert [chunk.chunk for chunk in chunks_from("r", None)] == list(range(11))
    assert [chunk.chunk for chunk in chunks_from("r", 0)] == list(range(11))


def test_cached_tokens_are_those_of_calls_and_of_sums():
    used = ModelUsage(model_name="m")
    used.add({"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 4}})
    used.merge(ModelUsage(model_name="m", invocation_count=2, prompt_tokens=9, cached_tokens=2))
    used.add({"prompt_tokens": 9, "prompt_tokens_details": None})
    assert (used.invocation_count, used.prompt_tokens, used.cached_tokens) == (4, 27, 6)


def test_what_came_by_batch_is_summed_apart():
    def chunk(number, batch):
        usage = [ModelUsage(model_name="m", batch=batch, invocation_count=3, prompt_tokens=5)]
        counts = ResultCounts(total=3, passed=3)
        return ChunkCounts(chunk=number, chunks=3, first_row=0, counts=counts, usage=usage, criteria=[])

    usages = totals([chunk(0, True), chunk(1, False), chunk(2, True)])["per_model_usage"]
    assert [(usage["batch"], usage["invocation_count"], usage["prompt_tokens"]) for usage in usages] == [
        (True, 6, 10),
        (False, 3, 5),
    ]
