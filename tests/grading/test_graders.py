"""Graders inside a run: a row that cannot be graded is errored alone, and what judges and embeddings cost is booked."""

from __future__ import annotations

from typing import Any

import pytest

from evals.output_items import output_items
from evals.run import Run
from graders import StringCheck
from grading.grade import grade_chunk
from providers import Answer, ProviderAway, ProviderRefused
from tests.api.sdk import client_of
from tests.flow.system import System
from tests.grading.build import CHECK, Counting, counts, planned, row, with_sample

SCORE = {
    "type": "score_model",
    "name": "scored",
    "model": "lab-judge",
    "input": [{"role": "user", "content": "Reference: {{ item.reference }}\nAnswer: {{ sample.output_text }}"}],
}
COSINE = {
    "type": "text_similarity",
    "embedding_model": "lab-small",
    "name": "near",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.reference }}",
    "evaluation_metric": "cosine",
    "pass_threshold": 0.5,
}
GOOD = '{"steps": [], "result": 1}'


class Embedding(Counting):
    """Also embeds: a text that is its reference in its direction, others across; None means away."""

    refusal: ProviderRefused | None = None

    async def embed(self, request: dict[str, Any], *, deadline_s: float, **_: Any) -> Answer:
        assert deadline_s > 0
        self.asked.append(request)
        if self.refusal:
            raise self.refusal
        text, reference = request["input"]
        vectors = [[1.0, 0.0], [1.0, 0.0] if text == reference else [0.0, 1.0]]
        data = [{"index": index, "embedding": vector} for index, vector in enumerate(vectors)]
        return Answer({"model": "e-large", "data": data, "usage": {"prompt_tokens": 7, "total_tokens": 7}}, 3)


def usage(run: Run) -> dict[str, tuple[int, int]]:
    return {
        usage.model_name: (usage.invocation_count, usage.total_tokens) for usage in Run.load(run.id).per_model_usage
    }


def results(run: Run, criterion: int = 0) -> list[dict[str, Any]]:
    return [item["results"][criterion] for item in output_items(run.id, 0)]


def answered(*texts: str) -> list[dict[str, Any]]:
    return [with_sample(row(n), text) for n, text in enumerate(texts)]


def test_a_missing_variable_is_an_error_of_that_row_alone(system: System, context: Any) -> None:
    rows = answered("yes", "yes", "no")
    del rows[1]["item"]["reference"]
    run, (chunk,) = planned(system, rows, model=None)
    grade_chunk(chunk, context, Counting())
    assert counts(run.id) == (3, 1, 1, 1)
    error = results(run)[1]["sample"]["error"]
    assert error["code"] == "invalid_variable_error"
    assert "item.reference" in error["message"]
    assert [item["errored"] for item in output_items(run.id, 0)] == [False, True, False]


@pytest.mark.parametrize(
    "failure", [ZeroDivisionError("zero"), KeyError("gone"), RecursionError("deep"), TypeError("odd")]
)
def test_a_grader_that_fails_on_a_row_makes_that_row_errored_and_loses_nothing_else(
    system: System, context: Any, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    run, (chunk,) = planned(system, answered("yes", "odd", "yes"), CHECK, SCORE, model=None)
    sound = StringCheck.grade

    async def failing(self: StringCheck, item: Any, sample: Any, models: Any) -> Any:
        if sample["output_text"] == "odd":
            raise failure
        return await sound(self, item, sample, models)

    monkeypatch.setattr(StringCheck, "grade", failing)
    grade_chunk(chunk, context, Counting(lambda _: GOOD))
    assert counts(run.id) == (3, 2, 0, 1)
    error = results(run)[1]["sample"]["error"]
    assert error["code"] == "grader_failed"
    assert type(failure).__name__ in error["message"]
    assert [result["passed"] for result in results(run, 1)] == [True, True, True]


def test_storage_that_is_away_is_no_fault_of_the_row(
    system: System, context: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, (chunk,) = planned(system, answered("yes"), model=None)

    async def failing(*_: Any) -> Any:
        raise ConnectionError("S3")

    with monkeypatch.context() as patch:
        patch.setattr(StringCheck, "grade", failing)
        with pytest.raises(ConnectionError):
            grade_chunk(chunk, context, Counting())
    assert counts(run.id) == (0, 0, 0, 0)
    grade_chunk(chunk, context, Counting())
    assert counts(run.id) == (1, 1, 0, 0)


def test_every_attempt_of_a_judge_is_booked(system: System, context: Any) -> None:
    def judge(request: dict[str, Any]) -> str:
        return "seven" if request["messages"][-1]["content"].startswith("Reference") else GOOD

    run, (chunk,) = planned(system, answered("yes"), SCORE, model=None)
    grade_chunk(chunk, context, Counting(judge))
    assert counts(run.id) == (1, 1, 0, 0)
    assert usage(run) == {"lab-judge": (2, 24)}
    assert results(run)[0]["score"] == 1
    assert results(run)[0]["sample"]["attempts"] == 2


def test_a_judge_that_stays_malformed_makes_its_row_errored(system: System, context: Any) -> None:
    def judge(request: dict[str, Any]) -> str:
        return "seven" if ">odd<" in request["messages"][1]["content"] else GOOD

    run, (chunk,) = planned(system, answered("odd", "yes"), SCORE, model=None)
    provider = Counting(judge)
    grade_chunk(chunk, context, provider)
    assert counts(run.id) == (2, 1, 0, 1)
    assert usage(run) == {"lab-judge": (4, 48)}
    assert "steps and a number" in results(run)[0]["sample"]["error"]["message"]
    assert len(provider.asked) == 4


def test_a_judge_asked_again_after_an_outage_goes_on_where_it_was(system: System, context: Any) -> None:
    run, (chunk,) = planned(system, answered("yes"), SCORE, model=None)
    grade_chunk(chunk, context, Counting(lambda request: "seven" if len(request["messages"]) == 2 else None))
    assert Run.load(run.id).paused is not None
    again = Counting(lambda _: GOOD)
    grade_chunk(chunk, context, again)
    assert [len(request["messages"]) for request in again.asked] == [4]
    assert counts(run.id) == (1, 1, 0, 0)


def test_embeddings_are_asked_once_and_booked(system: System, context: Any) -> None:
    run, (chunk,) = planned(system, answered("yes", "no", "no", ""), COSINE, model=None)
    provider = Embedding()
    grade_chunk(chunk, context, provider)
    assert counts(run.id) == (4, 1, 3, 0)
    assert [request["input"] for request in provider.asked] == [["yes", "yes"], ["no", "yes"]]
    assert usage(run) == {"e-large": (2, 14)}
    assert results(run)[0]["sample"] == {
        "metric": "cosine",
        "definition": "cosine of the embeddings of both texts",
        "version": "e-large",
    }


def test_a_provider_without_embeddings_makes_rows_errored_and_one_that_is_away_makes_them_wait(
    system: System, context: Any
) -> None:
    run, (chunk,) = planned(system, answered("yes"), COSINE, model=None)
    provider = Embedding()
    provider.refusal = ProviderAway(503, b"{}", {})
    grade_chunk(chunk, context, provider)
    provider.refusal = ProviderRefused(404, b'{"error": {"message": "No such route."}}', {})
    grade_chunk(chunk, context, provider)
    assert counts(run.id) == (1, 0, 0, 1)
    assert results(run)[0]["sample"]["error"] == {"code": "provider_404", "message": "No such route."}


@pytest.mark.parametrize(
    ("criterion", "param", "reason"),
    [
        ({**COSINE, "evaluation_metric": "meteor"}, "testing_criteria[0].evaluation_metric", "WordNet"),
        ({**COSINE, "pass_threshold": 2}, "testing_criteria[0].pass_threshold", "less than or equal to 1"),
        ({"type": "regex", "name": "r", "input": "a", "pattern": "(?=a)"}, "testing_criteria[0].pattern", "RE2"),
        ({"type": "json_schema", "name": "j", "json_schema": {"type": 7}}, "testing_criteria[0].json_schema", "$.type"),
        ({**SCORE, "range": [0]}, "testing_criteria[0].range", "at least 2 items"),
        (
            {"type": "multi", "name": "m", "graders": {"a": {**CHECK, "operation": "is"}}, "calculate_output": "a"},
            "testing_criteria[0].graders.a.operation",
            "'eq'",
        ),
        (
            {"type": "multi", "name": "m", "graders": {"a": CHECK}, "calculate_output": "a +", "pass_threshold": 1},
            "testing_criteria[0].calculate_output",
            "at its end",
        ),
    ],
)
def test_an_invalid_criterion_is_refused_when_the_eval_is_created(
    system: System, criterion: dict[str, Any], param: str, reason: str
) -> None:
    config = {"type": "custom", "item_schema": {"type": "object"}}
    body = {"data_source_config": config, "testing_criteria": [criterion]}
    status, answer = system.call("POST", "/v1/evals", body)
    assert status == 400
    assert answer["error"]["param"] == param
    assert reason in answer["error"]["message"]


def test_criteria_come_back_through_the_sdk_as_they_were_sent(system: System) -> None:
    client = client_of(system)
    bleu = {name: value for name, value in COSINE.items() if name != "embedding_model"} | {"evaluation_metric": "bleu"}
    match = {"type": "tool_call_match", "name": "called", "reference": "{{ item.calls }}"}
    multi: dict[str, Any] = {
        "type": "multi",
        "name": "both",
        "graders": {"correct": CHECK, "near": bleu},
        "calculate_output": "min(correct, near)",
        "pass_threshold": 0.5,
    }
    criteria: list[Any] = [SCORE, COSINE, match, multi]
    config: Any = {"type": "custom", "item_schema": {"type": "object"}}
    made = client.evals.create(data_source_config=config, testing_criteria=criteria)
    shown = system.ok("GET", f"/v1/evals/{made.id}")["testing_criteria"]
    for sent, criterion in zip(criteria, shown, strict=True):
        assert {name: criterion[name] for name in sent} == sent
    assert shown[0]["pass_threshold"] == 0.5, "the middle of the range is recorded"
    assert "sampling_params" not in shown[0]
    stored = client.evals.retrieve(made.id).testing_criteria
    assert [finding.type for finding in stored] == [sent["type"] for sent in criteria]
