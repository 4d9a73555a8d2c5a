"""The answers of runs, as they are written down and found again, and the pair that is made of two of them."""

from __future__ import annotations

import pytest

from completions.same_input import input_key
from distillations.pairs import RunAnswers, freeze, pair_of
from foundation import blobs
from foundation.errors import NotFound
from tests.distillations.formats.rows import ANSWER, TOOLS, USER, WORSE
from tests.distillations.pair_runs import Answered, ended_run
from tests.distilling import build

KEY = "datasets/dataset_1/answers.jsonl"
pytestmark = pytest.mark.usefixtures("system")


def answers_to(question: str) -> list[tuple[str, bool, str | None]]:
    found = RunAnswers(blobs.raw_lines(KEY) or ()).to(input_key(build.asked(question)))
    return [(answer.run_id, answer.passed, (answer.message or {}).get("content")) for answer in found]


def test_answers_are_found_by_question_run_by_run_and_only_those_that_failed_have_words() -> None:
    first = ended_run(Answered("mail", "yes", passed=True), Answered("other", "no", passed=False)).id
    second = ended_run(Answered("mail", "no", passed=False)).id
    freeze(KEY, [first, second])
    assert answers_to("mail") == [(first, True, None), (second, False, "no")]
    assert answers_to("other") == [(first, False, "no")]
    assert answers_to("nothing") == []


def test_what_is_no_whole_graded_answer_to_messages_is_left_out() -> None:
    odd = [
        Answered("mail", "a", passed=False, more={"errored": True}),
        Answered("mail", "b", passed=False, more={"finish_reason": "length"}),
        Answered("mail", None, passed=False),
        Answered("mail", "c", passed=False, more={"datasource_item": {"input": "mail"}}),
        Answered("mail", "d", passed=False, more={"datasource_item": {}}),
    ]
    freeze(KEY, [ended_run(*odd).id])
    assert blobs.get(KEY) == b""


def test_what_was_written_down_once_stays_whatever_becomes_of_the_run() -> None:
    run = ended_run(Answered("mail", "no", passed=False))
    freeze(KEY, [run.id])
    before = blobs.get(KEY)
    run.erase()
    freeze(KEY, [run.id])
    assert blobs.get(KEY) == before
    with pytest.raises(NotFound):
        freeze("datasets/dataset_2/answers.jsonl", [run.id])


def test_a_pair_has_the_question_its_tools_and_both_answers_without_weights() -> None:
    line = {"messages": [USER, {**ANSWER, "weight": 0}, USER, ANSWER], "tools": TOOLS, "parallel_tool_calls": False}
    assert pair_of(line, WORSE) == {
        "input": {"messages": [USER, ANSWER, USER], "tools": TOOLS, "parallel_tool_calls": False},
        "preferred_output": [ANSWER],
        "non_preferred_output": [WORSE],
    }
