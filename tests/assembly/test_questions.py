"""Which questions are nearly the same, found without comparing each with each."""

from __future__ import annotations

import pickle
import random
from typing import Any

import pytest
from pydantic import ValidationError

from assembly.neighbours import Neighbours, Question
from assembly.questions import TestQuestion, pieces_of
from distillations.recipe import NearDuplicates, NearLeaks, Recipe
from tests.assembly.curating import completion, curated
from tests.distilling import build

WORDS = [f"word{number}" for number in range(3000)]


def text(rng: random.Random, length: int = 120) -> str:
    return " ".join(rng.choices(WORDS, k=length))


def nearly(rng: random.Random, original: str) -> str:
    """The text with two of its words replaced."""
    words = original.split()
    for at in rng.sample(range(len(words)), 2):
        words[at] = rng.choice(WORDS)
    return " ".join(words)


def test_planted_copies_are_found_and_nothing_else() -> None:
    rng = random.Random(7)
    originals = [text(rng) for _ in range(300)]
    texts = [*originals, *(nearly(rng, original) for original in originals[:60])]
    steps = [NearDuplicates(keep="oldest")]
    found = curated([completion(number, text) for number, text in enumerate(texts)], Recipe(steps=steps))
    pairs = {row.id: row.evidence[0].others for row in found.rows.values() if row.outcome == "dropped"}
    planted = {f"chatcmpl-{300 + number}": [f"chatcmpl-{number}"] for number in range(60)}
    assert pairs.items() <= planted.items(), "each is named with its own original"
    assert len(pairs) >= 0.95 * len(planted)
    assert all(0.85 <= row.evidence[0].score <= 1 for row in found.rows.values() if row.evidence)  # type: ignore[operator]


@pytest.mark.parametrize("similarity", [0.7, 0.8, 0.95])
def test_the_share_of_pieces_decides_and_not_its_estimate(similarity: float) -> None:
    rng = random.Random(3)
    original = text(rng)
    texts = [
        original,
        *(" ".join([*original.split()[:kept], *text(rng, 120 - kept).split()]) for kept in range(60, 120)),
    ]
    mine = pieces_of(build.asked(original)).words
    shares = [len(mine & other) / len(mine | other) for other in (pieces_of(build.asked(one)).words for one in texts)]
    pair = Recipe(steps=[NearDuplicates(similarity=similarity, keep="oldest")])
    for number, share in enumerate(shares[1:], start=1):
        both = [completion(0, original), completion(number, texts[number])]
        score = curated(both, pair).rows[f"chatcmpl-{number}"].evidence
        if share < similarity:
            assert not score
        elif share > similarity + 0.05:
            assert score[0].score == pytest.approx(share, abs=1e-4)


@pytest.mark.parametrize("step", [NearDuplicates, NearLeaks])
def test_a_similarity_by_which_most_questions_would_be_compared_is_refused_by_its_field(step: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        step(similarity=0.69)
    assert [error["loc"] for error in refused.value.errors()] == [("similarity",)]


def picture(number: int) -> list[dict[str, Any]]:
    asked = "What stands on this receipt, and what does all of it cost together?"
    image = {"url": f"https://a.example/{number}.png"}
    return [{"type": "text", "text": asked}, {"type": "image_url", "image_url": image}]


def test_the_test_row_with_the_same_image_is_found_among_many_that_ask_the_same() -> None:
    test = [completion(100 + number, picture(number)) for number in range(30)]
    asked = [{"role": "system", "content": "You are a clerk."}, {"role": "user", "content": picture(29)}]
    leak = completion(1, "", request={"model": build.TEACHER, "messages": asked})
    found = curated([leak, completion(2, picture(50))], Recipe(steps=[NearLeaks()], validation_share=0), test)
    assert found.drops == {"near_leaks": 1}
    assert found.rows["chatcmpl-1"].evidence[0].others == ["chatcmpl-129"]


def compared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The rows that are looked for among others from now on."""
    looked_for = []
    nearest = Neighbours.nearest

    def watched(self: Neighbours, question: Question) -> Any:
        looked_for.append(question.row.id)
        return nearest(self, question)

    monkeypatch.setattr(Neighbours, "nearest", watched)
    return looked_for


def test_only_questions_that_could_be_one_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_for = compared(monkeypatch)
    form = " ".join(WORDS[:60])
    unique = [completion(number, f"{form} {number}", f"answer {number}") for number in range(20)]
    images = [completion(20 + number, picture(number)) for number in range(20)]
    found = curated([*unique, *images], Recipe(steps=[NearDuplicates()]))
    assert (found.drops, looked_for) == ({}, [])
    mail = " ".join(WORDS[100:160])
    pair = [completion(50, mail, "same"), completion(51, f"{mail} again", "same")]
    assert curated([*unique, *images, *pair], Recipe(steps=[NearDuplicates()])).drops == {"near_duplicates": 1}
    assert looked_for == ["chatcmpl-51", "chatcmpl-50"]


def called(arguments: str, **more: Any) -> list[dict[str, Any]]:
    call = {"id": "c1", "type": "function", "function": {"name": "get", "arguments": arguments}} | more
    result = {"role": "tool", "tool_call_id": call["id"], "content": "ok"}
    return [*build.asked("look"), {"role": "assistant", "content": None, "tool_calls": [call]}, result]


def test_questions_that_are_clearly_less_alike_are_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    share = Neighbours._share
    monkeypatch.setattr(Neighbours, "_share", lambda *both: read.append(1) or share(*both))
    rng = random.Random(1)
    forms = [text(rng, 100) for _ in range(8)]
    mails = [completion(number, f"{forms[number % 8]} {text(rng, 30)}") for number in range(120)]
    assert curated(mails, Recipe(steps=[NearDuplicates()])).drops == {}
    assert len(read) < len(mails) / 4


def test_what_was_called_is_part_of_a_question_and_the_id_of_a_call_is_not() -> None:
    first = pieces_of(called('{"id": 1}'))
    assert first.other != pieces_of(called('{"id": 2}')).other
    assert first.other != pieces_of(called("", function={"name": "put", "arguments": '{"id": 1}'})).other
    assert first == pieces_of(called('{"id":1.0}', id="c2"))
    legacy = {"role": "assistant", "function_call": {"name": "get", "arguments": {"id": 1}}}
    assert first == pieces_of([*build.asked("look"), legacy, {"role": "function", "name": "get", "content": "ok"}])
    leak = completion(1, "", request={"model": build.TEACHER, "messages": called('{"id": 2}')})
    test = completion(2, "", request={"model": build.TEACHER, "messages": called('{"id": 1}')})
    assert curated([leak], test=[test]).drops == {}


def test_what_was_said_in_a_prompt_is_no_part_of_a_question() -> None:
    system = {"role": "system", "content": "Sort the mails of a bank."}
    assert pieces_of([system, *build.asked("mail")]) == pieces_of(build.asked("Mail!"))
    assert len(pieces_of(build.asked("one two")).words) == 1
    assert pieces_of([]).words == pieces_of(build.asked("...")).words
    one, two = (pieces_of(build.asked(text)).words for text in ("one two three four", "Zero one two three"))
    assert [len(pieces) for pieces in (one, two, one & two)] == [2, 2, 1]


def test_of_a_test_row_its_words_are_held_and_of_a_long_one_a_digest() -> None:
    asked = build.asked(" ".join([*WORDS, "x" * 100_000, "Last"]))
    test = TestQuestion("t", asked)
    assert test.pieces() == pieces_of(asked)
    assert test.pieces() != pieces_of(build.asked(" ".join([*WORDS, "y" * 100_000, "Last"])))
    assert len(pickle.dumps(test)) < sum(len(word) + 1 for word in WORDS) + 600


def test_of_an_endless_question_the_first_five_thousand_words_count() -> None:
    words = [f"w{number}" for number in range(5_100)]
    asked = build.asked(" ".join(words))
    assert pieces_of(asked) == pieces_of(build.asked(" ".join(words[:5_000])))
    assert pieces_of(asked) == TestQuestion("t", asked).pieces()
    assert pieces_of(asked) != pieces_of(build.asked(" ".join(words[:4_999])))
