"""The promise of a cascade, held to the second half of real rows in a hundred seeded splits."""

from __future__ import annotations

from functools import cache

import pytest

from tests.data import cascades, cfpb

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(
        not (cfpb.FOLDER.is_dir() and cascades.ZEROEVAL.is_dir()),
        reason="needs ../shared/data/cfpb_complaints_14llm and zeroeval_gpt4o_vs_mini",
    ),
]

source_of = cache(lambda name: cascades.SOURCES[name]())
# What is kept at least, by source and margin, of a second half whose threshold the first one chose.
LEAST_KEPT = [
    ("cfpb: a student's own probability", 0.03, 0.3),
    ("cfpb: a student's own probability", 0.05, 0.6),
    ("cfpb: agreement of small models", 0.05, 0.7),
    ("zeroeval: agreement of small models", 0.02, 0.7),
    ("zeroeval: agreement of small models", 0.03, 0.9),
]


@pytest.mark.parametrize(("name", "margin", "least"), LEAST_KEPT)
def test_the_promised_loss_holds_and_a_useful_share_is_kept(name: str, margin: float, least: float) -> None:
    source = source_of(name)
    measured = cascades.measure(source, margin=margin)
    assert measured.held >= 95
    assert measured.share >= least
    assert source.cheap_usd < measured.usd_per_1000 < 0.8 * source.dear_usd


def test_the_first_halves_that_are_too_small_promise_nothing() -> None:
    source = source_of("cfpb: agreement of small models")
    few = cascades.measure(source._replace(rows=source.rows[:160]), margin=0.05, splits=20)
    assert (few.vacuous, few.held, few.share, few.loss) == (20, 20, 0.0, 0.0)
