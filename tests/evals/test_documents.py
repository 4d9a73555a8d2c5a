"""The documents of comparisons, slices and power: the same after they were stored, and described field by field."""

from __future__ import annotations

import pytest

from evals.comparison import Comparison
from evals.power import PowerAnswer, PowerQuestion, power_answer
from evals.run_document import RunDocument
from evals.slice_table import SliceTable
from foundation.document import Document
from foundation.errors import ApiError
from stats import rows_needed


@pytest.mark.parametrize("document", [Comparison, SliceTable, PowerAnswer, RunDocument])
def test_every_share_and_probability_says_its_range(document: type[Document]) -> None:
    schema = document.model_json_schema()
    described = {name: field.get("description") for name, field in schema["properties"].items()}
    assert schema["description"]
    for name in {"gain", "p_value", "discordance", "alpha", "confidence", "pass_rate", "power"} & described.keys():
        assert described[name] or "$ref" in str(schema["properties"][name]), name


def test_the_rows_that_a_difference_takes() -> None:
    answer = power_answer("eval_1", PowerQuestion(difference=0.1, discordance=0.3))
    assert (answer.rows_needed, answer.discordance_is, answer.rows) == (rows_needed(0.1, 0.3), "given", None)
    assert answer.power_at_rows is answer.smallest_difference is None
    assert PowerAnswer.model_validate_json(answer.model_dump_json()) == answer


@pytest.mark.parametrize(
    ("question", "param"),
    [
        (PowerQuestion(discordance=0.3), "difference"),
        (PowerQuestion(difference=0.1), "baseline' or 'discordance"),
        (PowerQuestion(difference=0.4, discordance=0.3), "difference"),
    ],
)
def test_a_question_that_has_no_answer_is_refused(question: PowerQuestion, param: str) -> None:
    with pytest.raises(ApiError) as refusal:
        power_answer("eval_1", question)
    assert refusal.value.param == param
