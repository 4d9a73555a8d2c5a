"""A pairwise judge that is asked in both orders: its answers are brought back to one order, and its bias shows."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from graders import NotGradable
from graders.swap import Swap
from tests.graders.asking import criterion

PAIR = {
    "type": "label_model",
    "name": "better",
    "model": "judge-1",
    "fence": False,
    "input": [{"role": "user", "content": "A: {{ item.a }} B: {{ sample.output_text }}"}],
    "labels": ["A", "B", "tie"],
    "passing_labels": ["B"],
    "swap": {"first": "item.a", "second": "sample.output_text", "labels": {"A": "B"}},
}
PREFERENCE = {
    "type": "score_model",
    "name": "how much better",
    "model": "judge-1",
    "fence": False,
    "input": PAIR["input"],
    "range": [1, 5],
    "swap": {"first": "item.a", "second": "sample.output_text"},
}


class Answering:
    """Answer by what stands in the prompt."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = []

    async def complete(self, request):
        self.asked.append(request["messages"][-1]["content"])
        return {"choices": [{"message": {"content": json.dumps(self.answer(self.asked[-1]))}}]}


def graded(definition, answer, *, a="old", b="new"):
    models = Answering(answer)
    row, sample = {"a": a}, {"output_text": b}
    result = asyncio.run(criterion(definition).grade(row, sample, models))
    assert (row, sample) == ({"a": a}, {"output_text": b}), "the row itself is left alone"
    return result, models.asked


def prefers(text):
    """The place of the answer that holds this text."""
    return lambda prompt: {"label": "A" if prompt.index(text) < prompt.index(" B:") else "B"}


def test_the_judge_is_asked_twice_with_the_two_answers_exchanged():
    result, asked = graded(PAIR, prefers("new"))
    assert asked == ["A: old B: new", "A: new B: old"]
    assert (result.passed, result.score) == (True, 1)
    assert (result.sample["label"], result.sample["labels"]) == ("B", ["B", "B"])
    assert result.sample["position_consistent"] is True
    assert json.loads(result.sample["swapped"]["output"]) == {"label": "A"}


def test_one_that_prefers_the_other_answer_fails_the_row():
    result, _ = graded(PAIR, prefers("old"))
    assert (result.passed, result.score, result.sample["label"]) == (False, 0, "A")


@pytest.mark.parametrize("place", ["A", "B"])
def test_one_that_prefers_a_place_has_said_nothing(place):
    result, _ = graded(PAIR, lambda _: {"label": place})
    assert (result.passed, result.score) == (False, 0.5)
    assert result.sample["label"] is None
    assert result.sample["position_consistent"] is False
    assert set(result.sample["labels"]) == {"A", "B"}


def test_a_label_without_another_means_the_same_in_both_orders():
    result, _ = graded({**PAIR, "passing_labels": ["tie"]}, lambda _: {"label": "tie"})
    assert (result.passed, result.sample["label"]) == (True, "tie")


def test_two_labels_that_pass_pass_the_row_though_they_differ():
    answers = iter([{"label": "B"}, {"label": "tie"}])
    result, _ = graded({**PAIR, "passing_labels": ["B", "tie"]}, lambda _: next(answers))
    assert (result.passed, result.score, result.sample["label"]) == (True, 1, None)


@given(first=st.integers(1, 5), second=st.integers(1, 5))
def test_scores_are_mirrored_and_averaged(first, second):
    answers = iter([first, second])
    result, _ = graded(PREFERENCE, lambda _: {"steps": [], "result": next(answers)})
    back = 6 - second
    assert result.score == (first + back) / 2
    assert result.passed == (result.score >= 3)
    assert result.sample["scores"] == [first, back]
    assert result.sample["position_consistent"] == ((first >= 3) == (back >= 3))


def test_a_judge_of_scores_that_prefers_a_place_ends_in_the_middle():
    result, _ = graded(PREFERENCE, lambda _: {"steps": [], "result": 5})
    assert result.score == 3
    assert result.sample["position_consistent"] is False


def test_values_deep_in_a_row_are_exchanged_in_a_copy():
    row = {"item": {"pair": [{"text": "one", "by": "x"}, {"text": "two", "by": "y"}]}, "sample": {}}
    swap = Swap(first="item.pair[0].text", second="item.pair[1].text")
    turned = swap.exchanged(row)
    assert turned["item"]["pair"] == [{"text": "two", "by": "x"}, {"text": "one", "by": "y"}]
    assert row["item"]["pair"][0]["text"] == "one"
    assert swap.exchanged(turned) == row


def test_a_row_without_one_of_the_answers_cannot_be_graded():
    with pytest.raises(NotGradable, match=r"item\.a"):
        asyncio.run(criterion(PAIR).grade({}, {"output_text": "x"}, Answering(prefers("x"))))


def test_places_in_parts_and_around_a_value_count():
    parts = [{"role": "user", "content": [{"type": "input_text", "text": "{{ item }} {{ sample.output_text[0] }}"}]}]
    criterion({**PAIR, "input": parts})


@pytest.mark.parametrize(
    ("swap", "named"),
    [
        ({"second": "item.c"}, r"item\.c.*stands in no message"),
        ({"second": "item.a"}, "one value"),
        ({"second": "item.a.text"}, "part of the other"),
        ({"second": "a"}, "no path into the row"),
        ({"second": "{{ item.b }}"}, "no path into the row"),
        ({"second": "item"}, "no path into the row"),
        ({"second": "item..b"}, "is not a path"),
        ({"labels": {"A": "C"}}, "not among labels"),
        ({"labels": {"A": "B", "B": "tie"}}, "two others"),
        ({"labels": {"A": "tie", "B": "tie"}}, "two others"),
        ({"labels": {}}, "labels"),
        ({"third": "item.b"}, "third"),
    ],
)
def test_a_wrong_swap_is_refused_and_named(swap, named):
    with pytest.raises(ValidationError, match=named):
        criterion({**PAIR, "swap": {**PAIR["swap"], **swap}})


def test_labels_are_for_labels():
    with pytest.raises(ValidationError, match="labels"):
        criterion({**PREFERENCE, "swap": PAIR["swap"]})
    with pytest.raises(ValidationError, match="labels"):
        criterion({**PAIR, "swap": PREFERENCE["swap"]})


@pytest.mark.parametrize("place", ["{{ item.. }}", "{{ }}"])
def test_a_place_that_is_no_path_is_refused_beside_a_swap(place):
    wrong = [*PAIR["input"], {"role": "user", "content": place}]
    with pytest.raises(ValidationError, match="is not a path"):
        criterion({**PAIR, "input": wrong})


@pytest.mark.parametrize("definition", [PAIR, PREFERENCE])
def test_a_stored_definition_reads_as_it_was(definition):
    wanted = criterion(definition)
    assert criterion(wanted.model_dump(mode="json")) == wanted
    assert wanted.model_dump(mode="json")["swap"] == definition["swap"]
