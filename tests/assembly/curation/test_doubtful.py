"""Answers that the rest of a set speaks against: which are dropped, and when the rule keeps silent."""

from __future__ import annotations

import random

import pytest

from completions.completion import Completion
from distillations.recipe import Recipe
from distillations.text_steps import Doubtful
from tests.assembly.curating import completion, correction, curated

WORDS = {
    "billing": ["refund", "money", "back", "charged", "twice", "invoice", "paid", "card", "amount", "bill"],
    "shipping": ["parcel", "late", "courier", "delivery", "tracking", "address", "box", "shipped", "arrive", "door"],
}
WRONG = range(0, 40, 8)


def mails(count: int, seed: int = 0, wrong: range = WRONG) -> list[Completion]:
    """Mails of two kinds, in turn, each of six words of its kind; some have the label of the other."""
    dice = random.Random(seed)
    rows = []
    for number in range(count):
        right, other = list(WORDS)[:: 1 if number % 2 else -1]
        text = " ".join([*dice.sample(WORDS[right], 6), f"case{number}"])
        rows.append(completion(number, text, other if number in wrong else right))
    return rows


def dropped(rows: list[Completion], **more: object) -> list[str]:
    recipe = Recipe(steps=[Doubtful()], validation_share=0, **more)
    return curated(rows, recipe).ids("dropped")


@pytest.mark.parametrize("seed", range(3))
def test_wrong_labels_are_found_and_right_ones_stay_in_any_order(seed: int) -> None:
    rows = mails(200, seed)
    assert dropped(rows) == [f"chatcmpl-{number}" for number in WRONG]
    assert dropped(random.Random(seed).sample(rows, len(rows))) == dropped(rows)


def test_a_set_of_few_rows_and_one_of_free_texts_are_left_alone() -> None:
    assert dropped(mails(90)) == []
    free = [completion(number, f"mail {number}", f"Dear customer, case {number} is closed.") for number in range(200)]
    assert dropped(free) == []


def test_what_says_nothing_of_its_answer_is_not_doubted() -> None:
    dice = random.Random(1)
    words = [word for kind in WORDS.values() for word in kind]
    rows = [completion(n, " ".join(dice.sample(words, 6)), dice.choice(list(WORDS))) for n in range(300)]
    assert dropped(rows) == []


def test_an_answer_that_it_does_not_know_is_not_dropped_away() -> None:
    """All of a small third answer look like the first: it is the rule that errs."""
    rows = mails(200, wrong=range(0))
    dice = random.Random(2)
    odd = [completion(300 + n, " ".join(dice.sample(WORDS["billing"], 6)), "fraud") for n in range(12)]
    assert dropped([*rows, *odd]) == []


def test_a_rare_answer_of_which_few_rows_are_learnt_from_is_not_doubted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a large set few rows of a rare answer are learnt from: most of its words are then unknown, and it is right."""
    monkeypatch.setattr("assembly.likelihood._LEARNT_FROM", 100)
    dice = random.Random(2)
    words = [f"fraud{number}" for number in range(30)]
    rare = [" ".join([*dice.sample(WORDS["billing"], 6), *dice.sample(words, 2)]) for _ in range(24)]
    odd = [completion(500 + number, text, "fraud") for number, text in enumerate(rare)]
    found = dropped([*mails(400), *odd])
    assert found
    assert not {one.id for one in odd} & set(found)


def test_what_a_person_looked_at_is_not_doubted() -> None:
    rows = mails(200)
    assert dropped(rows, keep=["chatcmpl-8"]) == ["chatcmpl-0", "chatcmpl-16", "chatcmpl-24", "chatcmpl-32"]
    said = [correction(8, role="assistant", content="billing")]
    found = curated(rows, Recipe(steps=[Doubtful()], validation_share=0), corrections=said)
    assert "chatcmpl-8" not in found.ids("dropped")
    [evidence] = found.rows["chatcmpl-16"].evidence
    assert (evidence.rule, evidence.action, len(evidence.others)) == ("doubtful", "dropped", 1)
    assert evidence.score is not None
    assert evidence.score > 4.5
