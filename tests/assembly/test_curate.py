"""Which completions train by a recipe, why the others do not, and that no order of them makes a difference."""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from assembly.curation import RULES
from assembly.figures import Figures
from completions.completion import Completion
from distillations.answer_steps import Refused, Truncated
from distillations.recipe import Balance, Contradictions, Duplicates, Length, NearDuplicates, Prompt, Recipe
from tests.assembly.curating import completion, correction, curated
from tests.distilling import build
from tests.examples import examples

CUT = {"finish_reason": "length"}
SENTENCE = "the parcel that I ordered on Monday morning has not arrived at our house yet and nobody answers"


def test_a_dropped_answer_does_not_stand_in_the_way_of_a_good_one() -> None:
    found = curated([completion(1, "mail"), completion(2, "mail", "cut", choice=CUT)])
    assert found.ids("train") == ["chatcmpl-1"]
    assert found.drops == {"truncated": 1}


@pytest.mark.parametrize("keep", ["majority", "newest", "none"])
def test_what_a_person_corrected_is_what_a_question_is_answered_with(keep: str) -> None:
    """Against the majority, and against what is newer. Both answers stand in the evidence."""
    same = [completion(number, "mail", "no") for number in range(4)] + [completion(9, "mail", "no", choice=CUT)]
    recipe = Recipe(steps=[Truncated(), Contradictions(keep=keep)], validation_share=0)
    found = curated(same, recipe, corrections=[correction(9, role="assistant", content="by post")])
    assert found.ids("train") == ["chatcmpl-9"] == [name for _, name in Figures.of(found.curator).corrected]
    assert orjson.loads(found.lines["chatcmpl-9"])["messages"][-1] == {"role": "assistant", "content": "by post"}
    [evidence] = found.rows["chatcmpl-9"].evidence
    assert evidence.corrected
    assert (evidence.rule, evidence.action, evidence.corrected.by) == ("corrections", "changed", "ada")
    assert evidence.corrected.teacher
    assert (evidence.corrected.teacher["content"], evidence.corrected.correction["content"]) == ("no", "by post")
    assert found.rows["chatcmpl-0"].evidence[-1].others == ["chatcmpl-9"]


def test_what_a_person_keeps_trains_whatever_a_step_finds_and_the_rows_say_so() -> None:
    cut = completion(1, "mail", "no", choice=CUT)
    others = [completion(number, "mail", "yes") for number in range(2, 5)]
    assert curated([cut, *others]).ids("train") == ["chatcmpl-4"]
    found = curated([cut, *others], Recipe(keep=["chatcmpl-1"], validation_share=0))
    assert found.ids("train") == ["chatcmpl-1"]
    said = [(one.rule, one.action) for one in found.rows["chatcmpl-1"].evidence]
    assert said == [("kept_by_hand", "changed"), ("truncated", "overruled")]
    assert found.drops == {"contradictions": 3}
    assert found.curator.journal.changed == {"kept_by_hand": 1}


@pytest.mark.parametrize(
    "step", [Duplicates(), Duplicates(keep="oldest"), NearDuplicates(), Balance(by="answer", at_most=1)]
)
def test_what_a_person_keeps_is_the_one_of_several_that_stays(step: Any) -> None:
    same = [completion(number, SENTENCE) for number in range(3)]
    found = curated(same, Recipe(steps=[step], keep=["chatcmpl-1"], validation_share=0))
    assert found.ids("train") == ["chatcmpl-1"]
    both = curated(same, Recipe(steps=[step], keep=["chatcmpl-1", "chatcmpl-2"], validation_share=0))
    assert both.ids("train") == ["chatcmpl-1", "chatcmpl-2"]
    assert [both.rows[f"chatcmpl-{number}"].evidence[-1].action for number in (1, 2)].count("overruled") == 1


def test_what_a_person_keeps_is_no_test_row_no_leak_and_no_odd_line() -> None:
    odd = completion(1, "odd", None, choice={"message": {"role": "assistant", "content": None, "tool_calls": ["odd"]}})
    keep = [f"chatcmpl-{number}" for number in range(1, 4)]
    test = [completion(8, "mail"), completion(9, f"{SENTENCE} again")]
    rows = [odd, completion(2, "mail"), completion(3, SENTENCE)]
    found = curated(rows, Recipe(keep=keep, validation_share=0), test)
    assert found.drops == {"malformed": 1, "test_leaks": 1, "near_leaks": 1}


def test_what_a_person_drops_is_gone_and_another_one_stays_in_its_place() -> None:
    found = curated([completion(1, "mail"), completion(2, "mail")], Recipe(drop=["chatcmpl-2"], validation_share=0))
    assert (found.ids("train"), found.drops) == (["chatcmpl-1"], {"dropped_by_hand": 1})
    assert found.curator.named() == ["chatcmpl-2"]
    assert curated([completion(1, "mail")], Recipe(drop=["chatcmpl-2"], keep=["c"])).curator.named() == []
    with pytest.raises(ValidationError, match="'keep' and 'drop' both name 'a'"):
        Recipe(keep=["b", "a"], drop=["a"])


def test_reasoning_is_taught_by_the_recipe_alone() -> None:
    thought = {"message": {"role": "assistant", "content": "yes", "reasoning_content": "It was paid."}}
    for reasoning, learnt in (("leave_out", "yes"), ("teach", "<think>\nIt was paid.\n</think>\n\nyes")):
        found = curated([completion(1, "mail", choice=thought)], Recipe(reasoning=reasoning, validation_share=0))
        assert orjson.loads(found.lines["chatcmpl-1"])["messages"][-1]["content"] == learnt


def test_a_call_that_failed_trains_with_the_answer_of_a_person() -> None:
    failed = Completion.of({**build.record(1, "mail"), "response": {"error": {"message": "away"}, "id": "c"}}, at=1)
    said = correction(1, content="yes", role="assistant").model_copy(update={"completion_id": "c"})
    assert curated([failed], corrections=[said]).ids("train") == ["c"]
    assert curated([failed]).ids("train") == []


def test_many_contradictions_are_counted_and_some_are_shown() -> None:
    curator = curated([completion(number, "mail", f"answer {number}") for number in range(31)]).curator
    assert curator.journal.dropped["contradictions"] == 30
    assert Figures.of(curator).contradicted == [f"chatcmpl-{number}" for number in range(20)]


def test_every_rule_is_counted_even_where_it_dropped_nothing() -> None:
    assert curated([]).curator.journal.dropped == dict.fromkeys(RULES, 0)


def test_the_first_rule_that_drops_a_completion_is_counted_alone() -> None:
    cut = completion(1, "mail", choice=CUT)
    assert curated([cut], test=[cut]).drops == {"test_leaks": 1}
    recipe = Recipe(steps=[Refused(), Truncated()])
    assert curated([completion(1, "mail", "I cannot help with that.", choice=CUT)], recipe).drops == {"refused": 1}


def test_test_rows_and_what_the_trainer_refuses_stay_out_whatever_the_recipe_says() -> None:
    odd = completion(1, "odd", None, choice={"message": {"role": "assistant", "content": None, "tool_calls": ["odd"]}})
    found = curated([odd, completion(2, "mail"), completion(3, "rest")], Recipe(steps=[]), [completion(9, "mail")])
    assert found.drops == {"malformed": 1, "test_leaks": 1}
    [problem] = Figures.of(found.curator).problems
    assert problem.startswith("chatcmpl-1: messages[1].tool_calls[0]: ")
    assert found.rows["chatcmpl-2"].evidence[0].others == ["chatcmpl-9"]


def test_what_is_no_sound_completion_is_dropped_with_a_reason() -> None:
    odd = completion(1, "mail")
    odd.request["messages"] = [7]
    found = curated([odd, completion(2, "mail")])
    assert found.drops == {"untrainable": 1}
    assert "AttributeError" in found.rows["chatcmpl-1"].evidence[0].reason


def test_a_completion_that_two_sources_have_counts_once() -> None:
    found = curated([completion(1, "mail"), completion(1, "mail")])
    assert (found.curator.journal.selected, found.drops, found.ids("train")) == (1, {}, ["chatcmpl-1"])


def test_a_step_that_looks_at_one_completion_comes_before_those_that_look_at_all() -> None:
    with pytest.raises(ValidationError, match="the step 'refused' looks at one completion: put it before 'duplicates'"):
        Recipe(steps=[Duplicates(), Refused()])


def test_a_changed_line_says_so_and_is_measured_as_it_is() -> None:
    long = {"model": build.TEACHER, "messages": [{"role": "system", "content": "rule " * 400}, *build.asked("mail")]}
    record = completion(1, "", request=long)
    shortened = Recipe(steps=[Prompt(text="Sort."), Length(most_tokens=20)], validation_share=0)
    found = curated([record], shortened)
    assert found.lines["chatcmpl-1"].startswith(b'{"messages":[{"role":"system","content":"Sort."},')
    assert [(step.rule, step.action) for step in found.rows["chatcmpl-1"].evidence] == [("prompt", "changed")]
    assert found.curator.journal.changed == {"prompt": 1}
    assert curated([record], Recipe(steps=[Length(most_tokens=20), Prompt()])).drops == {"length": 1}


def test_a_chinese_character_counts_as_about_a_token() -> None:
    """Four letters are a token in English, and four characters about three of them."""
    record = completion(1, "请问我的包裹为什么到现在还没有送到家里")
    record.response.pop("usage", None)
    for most, drops in ((12, {"length": 1}), (40, {})):
        assert curated([record], Recipe(steps=[Length(most_tokens=most)], validation_share=0)).drops == drops


def test_completions_whose_lines_are_the_same_once_changed_ask_the_same() -> None:
    def dated(number: int, answer: str = "yes") -> Completion:
        system = {"role": "system", "content": f"Today is day {number}."}
        messages = [system, *build.asked("mail")]
        return completion(number, "", answer, request={"model": build.TEACHER, "messages": messages})

    days = [dated(number) for number in range(30)]
    found = curated(days, Recipe(steps=[Prompt(text="Sort.")], validation_share=0.5))
    assert len({row.outcome for row in found.rows.values()}) == 1
    found = curated([*days, dated(30, "no")], Recipe(steps=[Prompt(), Contradictions(), Duplicates()]))
    assert found.drops == {"contradictions": 1, "duplicates": 29}
    assert curated(days, Recipe(steps=[Prompt()]), [days[7]]).drops == {"test_leaks": 1}


def test_the_split_follows_from_seed_and_question_alone() -> None:
    mails = [completion(number, f"mail {number}") for number in range(400)]

    def held_back(some: list[Completion], seed: int) -> set[str]:
        return set(curated(some, Recipe(steps=[], seed=seed)).ids("validation"))

    first = held_back(mails, 42)
    assert first == held_back(mails[::-1], 42)
    assert first & {mail.id for mail in mails[:100]} == held_back(mails[:100], 42)
    assert first != held_back(mails, 43)
    assert 20 <= len(first) <= 60


def test_what_validates_is_never_repeated() -> None:
    mails = [completion(number, f"mail {number}") for number in range(40)]
    found = curated(mails, Recipe(steps=[Balance(by="answer", at_least=80)]))
    assert {row.copies for row in found.rows.values() if row.outcome == "validation"} == {1}
    assert {row.copies for row in found.rows.values() if row.outcome == "train"} == {2}
    lines = [row.line for row in found.rows.values() if row.outcome == "train"]
    assert lines == list(range(1, 2 * len(lines), 2))


def test_the_words_of_a_template_make_no_two_questions_alike() -> None:
    ask = "Please read this mail with care and say in one word to which of our nine departments it belongs. "
    ask += "Say nothing else, no greeting and no reason, and answer none where you are not sure of it at all: "
    mails = [completion(number, f"{ask} {number} {'x' * number} {number * 7}") for number in range(40)]
    assert curated(mails).drops == {}
    assert curated(mails[:3]).drops == {"near_duplicates": 2}, "three questions show no template"


WORDS = ("parcel", "refund", "invoice")
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "text": st.sampled_from([SENTENCE, SENTENCE + " me", SENTENCE + " the bell", *WORDS, " parcel"]),
            "answer": st.sampled_from(["yes", "no", "", "I cannot help with that."]),
            "user": st.sampled_from(["ann", "bob", ""]),
            "cut": st.booleans(),
            "test": st.integers(0, 4).map(lambda number: number == 0),
        }
    ),
    max_size=14,
)
RECIPES = st.sampled_from(
    [
        Recipe(),
        Recipe(group_by="user", stratify_by="answer", validation_share=0.3),
        Recipe(steps=[NearDuplicates(similarity=0.7), Balance(by="answer", at_most=3, at_least=3)], group_by="user"),
        Recipe(steps=[Prompt(text="Sort."), Balance(by="user", at_least=4)], stratify_by="user", validation_share=0.5),
        Recipe(steps=[]),
    ]
)


def _completion(number: int, row: dict[str, Any]) -> Completion:
    metadata = {"user": row["user"]} if row["user"] else {}
    choice = CUT if row["cut"] else {}
    return completion(number, row["text"], row["answer"], metadata=metadata, choice=choice)


@given(ROWS, RECIPES, st.integers(0, 1000))
@settings(max_examples=examples(120))
def test_no_completion_is_lost_or_twice_there_or_of_a_test_group_and_no_order_matters(
    rows: list[dict[str, Any]], recipe: Recipe, seed: int
) -> None:
    made = [_completion(number, row) for number, row in enumerate(rows)]
    test = [one for one, row in zip(made, rows, strict=True) if row["test"]]
    found = curated(made, recipe, test)
    assert list(found.rows) == sorted((one.id for one in made), key=lambda name: int(name[9:]))
    for row in found.rows.values():
        assert (row.outcome == "dropped") == (row.copies == 0) == (row.line is None)
        assert row.outcome != "dropped" or row.evidence[-1].action == "dropped"
    for outcome in ("train", "validation"):
        placed = [(row.line, row.copies) for row in found.rows.values() if row.outcome == outcome]
        assert [line for line, _ in placed] == [
            1 + sum(copies for _, copies in placed[:at]) for at in range(len(placed))
        ]
    trains = {one.id: one for one in made if found.rows[one.id].outcome != "dropped"}
    assert not {one.messages[0]["content"].strip() for one in trains.values()} & {
        one.messages[0]["content"].strip() for one in test
    }
    if recipe.group_by:
        users = {one.metadata["user"] for one in test if one.metadata}
        assert not users & {one.metadata.get("user") for one in trains.values()}
        outcomes = {(one.metadata["user"], found.rows[one.id].outcome) for one in trains.values() if one.metadata}
        assert len(outcomes) == len({user for user, _ in outcomes}), "a group trains or validates"
    shuffled = random.Random(seed).sample(made, len(made))
    again = curated(shuffled, recipe, test)
    assert (again.rows, again.lines) == (found.rows, found.lines)
