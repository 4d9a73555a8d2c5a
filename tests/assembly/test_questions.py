"""Which questions are nearly the same, found without comparing each with each."""

from __future__ import annotations

import random

import pytest

from assembly.questions import pieces_of
from distillations.recipe import NearDuplicates, Recipe
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


@pytest.mark.parametrize("similarity", [0.5, 0.7, 0.95])
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


def test_what_was_said_in_a_prompt_is_no_part_of_a_question() -> None:
    system = {"role": "system", "content": "Sort the mails of a bank."}
    assert pieces_of([system, *build.asked("mail")]) == pieces_of(build.asked("Mail!"))
    assert pieces_of(build.asked("one two")).words == {"one two"}
    assert pieces_of([]).words == {""}
