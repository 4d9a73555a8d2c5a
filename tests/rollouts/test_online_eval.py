"""Which criteria can grade production, where nobody knows the right answer."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from evals.eval import Eval
from foundation.errors import ApiError
from graders import Criterion
from rollouts.online_eval import online_eval

ANSWER = "{{ sample.output_text }}"
JUDGE = {
    "type": "score_model",
    "model": "lab-judge",
    "input": [{"role": "user", "content": "Of {{ item.metadata.topic }}: {{ item.input }} / {{sample.output_text}}"}],
}
ALONE: list[dict[str, Any]] = [
    {"type": "regex", "input": ANSWER, "pattern": "^.{1,80}$"},
    {"type": "json_schema", "json_schema": {"type": "object"}},
    {"type": "string_check", "input": ANSWER, "reference": "yes", "operation": "eq"},
    {"type": "python", "source": "def grade(sample, item):\n    return len(sample['output_text'])"},
    JUDGE,
]
NEEDS: list[tuple[dict[str, Any], str]] = [
    ({"type": "string_check", "input": ANSWER, "reference": "{{ item.reference }}", "operation": "eq"}, "reference"),
    ({"type": "string_check", "input": ANSWER, "reference": "{{item.category}}", "operation": "eq"}, "category"),
    ({"type": "json_match", "reference": "{{ item.reference }}"}, "reference"),
    ({**JUDGE, "input": [{"role": "user", "content": "Is it {{ item.reference.label }}? {{ item.input }}"}]}, "refer"),
    ({"type": "python", "source": "def grade(sample, item):\n    return item['reference'] == 1"}, "source"),
    ({"type": "recorded"}, "come with the rows"),
    (
        {
            "type": "multi",
            "graders": {
                "one": {**ALONE[0], "name": "one"},
                "two": {"type": "json_match", "name": "two", "reference": "{{ item.reference }}"},
            },
            "calculate_output": "one + two",
            "pass_threshold": 1,
        },
        "reference",
    ),
]


def eval_with(*criteria: dict[str, Any]) -> Eval:
    named = [{**criterion, "name": f"c{number}", "id": f"c{number}"} for number, criterion in enumerate(criteria)]
    made = TypeAdapter(list[Criterion]).validate_python(named)
    return Eval(id="eval_1", created_at=1, name="replies", data_source_config={}, testing_criteria=made)


@pytest.mark.parametrize("criterion", ALONE, ids=lambda criterion: criterion["type"])
def test_what_needs_nothing_but_request_and_answer_is_kept(criterion: dict[str, Any]) -> None:
    made, left_out = online_eval("rollout_1", eval_with(criterion), param="eval_id")
    assert ([kept.id for kept in made.testing_criteria], left_out) == (["c0"], [])


@pytest.mark.parametrize(("criterion", "why"), NEEDS, ids=lambda value: str(value)[:24])
def test_what_needs_more_is_left_out_by_name(criterion: dict[str, Any], why: str) -> None:
    made, left_out = online_eval("rollout_1", eval_with(ALONE[0], criterion), param="eval_id")
    assert [kept.id for kept in made.testing_criteria] == ["c0"]
    assert [(one.name, why in one.why) for one in left_out] == [("c1", True)]


def test_it_follows_from_the_rollout_and_none_left_is_refused() -> None:
    given = eval_with(ALONE[0])
    ids = {online_eval(name, given, param="eval_id")[0].id for name in ("rollout_1", "rollout_1", "rollout_2")}
    assert len(ids) == 2
    with pytest.raises(ApiError, match=r"'c0' needs item\.reference") as refusal:
        online_eval("rollout_1", eval_with(NEEDS[0][0]), param="verdict_id")
    assert refusal.value.param == "verdict_id"
