"""Grades that came with the samples: which of them stand, and what is graded anew beside them."""

from __future__ import annotations

from typing import Any

import pytest

from evals.output_items import output_items
from foundation.events import GradeChunk
from grading.grade import grade_chunk
from tests.flow.system import System
from tests.grading.build import CHECK, JUDGE, Counting, chunks, counts

CRITERIA = [{**CHECK, "id": "correct-1"}, {**JUDGE, "id": "judged-1"}]


def row(text: str, *grades: dict[str, Any], **sample: Any) -> dict[str, Any]:
    return {"item": {"reference": "yes"}, "sample": {"output_text": text, "grades": list(grades), **sample}}


def grade(name: str, *, passed: bool, score: float = 0.5, **more: Any) -> dict[str, Any]:
    return {"name": name, "passed": passed, "score": score, **more}


def graded(
    system: System, context: Any, provider: Counting, *rows: dict[str, Any], standing: str | None = "judged"
) -> list[dict[str, Any]]:
    """The output items of a run over these rows."""
    config = {"type": "custom", "item_schema": {"type": "object"}}
    eval_ = system.ok("POST", "/v1/evals", {"data_source_config": config, "testing_criteria": CRITERIA})
    source: dict[str, Any] = {"type": "jsonl", "source": {"type": "file_content", "content": list(rows)}}
    if standing:
        source["recorded_grades"] = standing
    run = system.ok("POST", f"/v1/evals/{eval_['id']}/runs", {"data_source": {**source, "model": "gpt-4o"}})
    assert run["model"] == "gpt-4o"
    system.deliver("PLAN")
    (chunk,) = chunks(system)
    grade_chunk(GradeChunk.model_validate(chunk), context, provider)
    items = output_items(run["id"], 0)
    assert counts(run["id"]) == (
        len(items),
        sum(item["status"] == "pass" and not item["errored"] for item in items),
        sum(item["status"] == "fail" and not item["errored"] for item in items),
        sum(item["errored"] for item in items),
    )
    return items


def judge(label: str) -> Counting:
    return Counting(lambda _: f'{{"label": "{label}"}}')


def test_a_judges_grade_stands_and_the_check_is_made_anew_beside_the_recorded_one(system: System, context: Any) -> None:
    provider = judge("incorrect")
    came = [
        grade("correct-1", passed=False, score=0),
        grade("judged-1", passed=True, score=0.9, sample={"error": None}),
    ]
    (item,) = graded(system, context, provider, row("yes", *came))
    checked, judged = item["results"]
    assert (checked["passed"], checked["score"]) == (True, 1.0)
    assert checked["recorded_grade"] == {"passed": False, "score": 0.0}
    assert "recorded" not in checked
    assert (judged["passed"], judged["score"], judged["recorded"], judged["sample"]) == (True, 0.9, True, {})
    assert (item["status"], item["errored"]) == ("pass", False)
    assert provider.asked == [], "a grade that stands costs nothing"


def test_nothing_stands_unless_the_run_says_so(system: System, context: Any) -> None:
    provider = judge("incorrect")
    came = [grade("correct-1", passed=True), grade("judged-1", passed=True)]
    (item,) = graded(system, context, provider, row("yes", *came), standing=None)
    assert [result["passed"] for result in item["results"]] == [True, False]
    assert [result["recorded_grade"]["passed"] for result in item["results"]] == [True, True]
    assert len(provider.asked) == 1


def test_all_of_them_stand_where_the_run_wants_it(system: System, context: Any) -> None:
    (item,) = graded(
        system, context, judge("correct"), row("no", grade("correct", passed=True), grade("judged", passed=True)),
        standing="all",
    )  # fmt: skip
    assert [(result["passed"], result["recorded"]) for result in item["results"]] == [(True, True), (True, True)]


def test_a_row_without_the_judges_grade_is_judged(system: System, context: Any) -> None:
    provider = judge("correct")
    first, second = graded(
        system, context, provider, row("yes", grade("judged-1", passed=False)), row("yes", grade("other", passed=False))
    )
    assert [result["passed"] for result in first["results"]] == [True, False]
    assert [result["passed"] for result in second["results"]] == [True, True]
    assert "recorded" not in second["results"][1]
    assert len(provider.asked) == 1


def test_a_recorded_failure_to_grade_counts_as_an_error(system: System, context: Any) -> None:
    came = grade("judged-1", passed=False, score=0, sample={"error": {"code": "grader_error", "message": "timeout"}})
    (item,) = graded(system, context, judge("correct"), row("yes", came))
    assert (item["status"], item["errored"]) == ("fail", True)


def test_a_sample_that_came_as_an_error_makes_the_row_errored_with_its_reason(system: System, context: Any) -> None:
    failed = {"item": {"reference": "yes"}, "sample": {"error": {"message": "Response input item missing role"}}}
    first, second = graded(system, context, judge("correct"), failed, row("yes"))
    assert first["errored"]
    assert first["results"] == []
    assert "Response input item missing role" in first["sample"]["error"]["message"]
    assert second["status"] == "pass"


def test_what_a_sample_says_of_itself_is_shown(system: System, context: Any) -> None:
    asked = [{"role": "user", "content": "is it?"}]
    (item,) = graded(
        system, context, judge("correct"), row("yes", input=asked, temperature=0.2, seed=7, model="gpt-4o-x")
    )
    shown = item["sample"]
    assert (shown["input"], shown["temperature"], shown["seed"], shown["model"]) == (asked, 0.2, 7, "gpt-4o-x")


def test_a_sample_sampled_anew_has_no_recorded_grades(system: System, context: Any) -> None:
    config = {"type": "custom", "item_schema": {"type": "object"}}
    eval_ = system.ok("POST", "/v1/evals", {"data_source_config": config, "testing_criteria": CRITERIA[:1]})
    template = {"type": "template", "template": [{"role": "user", "content": "say yes"}]}
    content = {"type": "file_content", "content": [row("no", grade("correct-1", passed=False))]}
    source = {"type": "completions", "source": content, "input_messages": template, "model": "lab-small"}
    run = system.ok("POST", f"/v1/evals/{eval_['id']}/runs", {"data_source": source})
    system.deliver("PLAN")
    (chunk,) = chunks(system)
    grade_chunk(chunk, context, Counting())
    (result,) = output_items(run["id"], 0)[0]["results"]
    assert result["passed"]
    assert "recorded_grade" not in result


@pytest.mark.parametrize(
    ("wrong", "param"),
    [({"name": "a", "passed": True}, "data_source"), ({"name": "a", "passed": True, "score": "high"}, "data_source")],
)
def test_a_grade_of_another_shape_is_refused(wrong: dict[str, Any], param: str, system: System) -> None:
    config = {"type": "custom", "item_schema": {"type": "object"}}
    eval_ = system.ok("POST", "/v1/evals", {"data_source_config": config, "testing_criteria": CRITERIA})
    source = {"type": "jsonl", "source": {"type": "file_content", "content": [row("yes", wrong)]}}
    status, refusal = system.call("POST", f"/v1/evals/{eval_['id']}/runs", {"data_source": source})
    assert status == 400
    assert refusal["error"]["param"].startswith(param)


def test_output_json_may_come_with_the_sample(system: System, context: Any) -> None:
    check = {**CHECK, "input": "{{ sample.output_json.label }}"}
    config = {"type": "custom", "item_schema": {"type": "object"}}
    eval_ = system.ok("POST", "/v1/evals", {"data_source_config": config, "testing_criteria": [check]})
    content = {"type": "file_content", "content": [row('{"label": "yes"}', output_json={"label": "yes"})]}
    run = system.ok("POST", f"/v1/evals/{eval_['id']}/runs", {"data_source": {"type": "jsonl", "source": content}})
    system.deliver("PLAN")
    (chunk,) = chunks(system)
    grade_chunk(chunk, context, Counting())
    assert output_items(run["id"], 0)[0]["status"] == "pass"
