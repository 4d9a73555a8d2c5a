"""Groups of questions that may be alike: whatever their order, and none is lost that comparing all pairs would find."""

from __future__ import annotations

import random

import pytest

from assembly.neighbours import meeting
from assembly.questions import pieces_of
from assembly.signatures import LENGTH, bands, estimate, signature_of, slices
from tests.distilling import build

WORDS = [f"word{number}" for number in range(400)]


def signed(seed: int, total: int = 40) -> list[tuple[object, bytes]]:
    """Signatures of questions, of which some say nearly the same, each of one of two kinds."""
    rng = random.Random(seed)
    texts = [" ".join(rng.choices(WORDS, k=60)) for _ in range(total // 2)]
    texts += [f"{rng.choice(texts)} {rng.choice(WORDS)}" for _ in range(total // 2)]
    return [(rng.randrange(2), signature_of(pieces_of(build.asked(text)).words)) for text in texts]


@pytest.mark.parametrize("similarity", [0.7, 0.85, 0.99])
def test_a_group_is_what_a_chain_of_common_bands_joins(similarity: float) -> None:
    questions = signed(3)
    cut = [(kind, set(slices(signature, bands(similarity)))) for kind, signature in questions]
    joined = {number: {number} for number in range(len(questions))}
    for one, (kind, ours) in enumerate(cut):
        for other, (other_kind, theirs) in enumerate(cut):
            if kind == other_kind and ours & theirs:
                group = joined[one] | joined[other]
                joined |= dict.fromkeys(group, group)
    expected = {tuple(sorted(group)) for group in joined.values() if len(group) > 1}
    assert {tuple(group) for group in meeting(questions, similarity)} == expected
    assert expected


def test_questions_that_meet_nobody_are_in_no_group() -> None:
    assert list(meeting(signed(1, 2)[:1], 0.85)) == []
    assert list(meeting([], 0.85)) == []


def test_a_signature_tells_about_how_much_two_questions_have_in_common() -> None:
    text = WORDS[:100]
    same, less = signature_of(text), signature_of(text[:50])
    assert (len(same), estimate(same, same)) == (LENGTH, 1.0)
    assert estimate(same, less) == pytest.approx(0.5, abs=0.15)
