"""Questions in scripts without spaces: nearly the same ones are found, and others are not.

A mail is some sentences of `unspaced.json`, which are written for these tests, with the facts of one case.
"""

from __future__ import annotations

import pickle
import random

import pytest

from assembly.questions import TestQuestion, pieces_of
from distillations.recipe import NearDuplicates, NearLeaks, Recipe
from foundation.words import words_in
from tests.assembly.curating import completion, curated
from tests.assembly.mails import LANGUAGES, mail
from tests.distilling import build


def changed(dice: random.Random, text: str, share: float) -> str:
    """The text with this share of its letters replaced by others of its own."""
    letters = list(text)
    places = [at for at, letter in enumerate(letters) if letter.isalpha()]
    for at in dice.sample(places, max(1, round(share * len(places)))):
        letters[at] = dice.choice([letter for letter in text if letter.isalpha() and letter != letters[at]])
    return "".join(letters)


def test_with_one_of_twenty_characters_changed_it_is_nearly_the_same() -> None:
    """In one set of all three languages: no sentence is then in a fifth of the mails, as that of a template is."""
    dice = random.Random(11)
    originals = [mail(dice, language, 4) for language in LANGUAGES for _ in range(60)]
    texts = [*originals, *(changed(dice, text, 0.05) for text in originals[::3])]
    recipe = Recipe(steps=[NearDuplicates(similarity=0.7, keep="oldest")])
    found = curated([completion(number, text) for number, text in enumerate(texts)], recipe)
    pairs = {row.id: row.evidence[0].others for row in found.rows.values() if row.outcome == "dropped"}
    planted = {f"chatcmpl-{180 + number}": [f"chatcmpl-{3 * number}"] for number in range(60)}
    right = [name for name, others in planted.items() if pairs.get(name) == others]
    assert len(right) >= 0.9 * len(planted)
    assert len(right) >= 0.9 * len(pairs), "mails of other sentences are other mails"


@pytest.mark.parametrize("language", LANGUAGES)
def test_by_default_a_typing_error_in_a_long_mail_is_found_as_a_leak(language: str) -> None:
    dice = random.Random(5)
    test = [completion(100 + number, mail(dice, language, 4)) for number in range(30)]
    leaks = [changed(dice, str(one.messages[-1]["content"]), 0.01) for one in test[:10]]
    others = [mail(dice, language, 3) for _ in range(20)]
    rows = [completion(number, text) for number, text in enumerate([*leaks, *others])]
    found = curated(rows, Recipe(steps=[NearLeaks()], validation_share=0), test)
    assert found.ids("dropped") == [f"chatcmpl-{number}" for number in range(10)]


def test_short_questions_of_the_same_form_are_different_ones() -> None:
    rows = [completion(0, "怎么取消我的订单。"), completion(1, "怎么修改我的订单。"), completion(2, "怎么取消我的订单")]
    found = curated(rows, Recipe(steps=[NearDuplicates(similarity=0.7, keep="oldest")]))
    assert found.ids("dropped") == ["chatcmpl-2"]


def test_names_and_numbers_stay_whole_within_such_a_text() -> None:
    one, two = (pieces_of(build.asked(f"请帮我查一下订单{number}的物流状态")).words for number in (20240611, 20240612))
    assert len(one - two) == 3
    assert (
        pieces_of(build.asked("My iPhone 15 is broken")).words
        == pieces_of(build.asked("my iphone  15, is BROKEN")).words
    )


def test_a_template_in_such_a_script_counts_for_nothing() -> None:
    dice = random.Random(1)
    form = "你是一家银行的客服助手。请用一个词回答下面这封邮件属于哪一类。"
    letters = [chr(0x4E00 + number) for number in range(3_000)]
    rows = [completion(number, form + "".join(dice.choices(letters, k=12))) for number in range(40)]
    assert curated(rows, Recipe(steps=[NearDuplicates(similarity=0.7)])).drops == {}


def test_of_a_long_text_the_first_five_thousand_characters_count() -> None:
    letters = [chr(0x4E00 + number) for number in range(6_000)]
    begins, other = "".join(letters[:5_000]), "".join(letters[:4_999]) + "尾"
    assert pieces_of(build.asked("".join(letters))) == pieces_of(build.asked(begins)) != pieces_of(build.asked(other))
    held = TestQuestion("t", build.asked("".join(letters)))
    assert held.pieces() == pieces_of(build.asked(begins))
    assert len(pickle.dumps(held)) < 4 * 5_000 + 600, "no more than 5,000 words of a script with spaces"
    assert len(words_in("".join(letters))) == 6_000
