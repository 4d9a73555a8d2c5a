"""One line that a person understands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stats import PairedCounts, tango_interval
from tests.verdict.tables import evidence, outcomes
from verdict.compare import compare
from verdict.sentence import sentence

MODELS = {"teacher": "big", "baseline": "small", "distilled": "ft:small"}


def test_the_whole_sentence() -> None:
    teacher, baseline, distilled = "p" * 91 + "f" * 9, "p" * 76 + "f" * 24, "p" * 88 + "f" * 12
    found = compare(outcomes(teacher), outcomes(baseline), outcomes(distilled), seed=1)
    low, high = tango_interval(PairedCounts(100, 12, 0))
    assert sentence("beats_baseline", found, MODELS) == (
        "ft:small beats its baseline small: 88.0% against 76.0% on 100 test rows, +12.0 points "
        f"(95% interval {100 * low:+.1f} to {100 * high:+.1f}). It closes 80% of the gap to big."
    )


@pytest.mark.parametrize(
    ("outcome", "claim"),
    [
        ("no_better", "ft:small is no better than its baseline small"),
        ("worse", "ft:small is worse than its baseline small"),
        ("inconclusive", "ft:small is not proven to beat its baseline small"),
    ],
)
def test_each_outcome_has_its_claim(outcome: str, claim: str) -> None:
    told = sentence(outcome, evidence(1, 9, 100, teacher="f"), MODELS)
    assert told.startswith(f"{claim}: 1.0% against 9.0% on 100 test rows, -8.0 points")
    assert "gap" not in told
    assert "left out" not in told


def test_what_was_left_out_and_what_got_worse_is_said() -> None:
    tags = [{"topic": "login" if number < 20 else "billing"} for number in range(80)]
    rows = ("p" * 80, "p" * 20 + "f" * 60, "f" * 20 + "p" * 60)
    found = compare(*(outcomes(one, metadata=tags) for one in rows), seed=1)
    told = sentence("beats_baseline", replace(found, dropped=3), MODELS)
    assert told.endswith(" Worse on: topic=login. 3 rows were left out because of errors.")


def test_without_an_interval_or_a_row_the_sentence_says_why() -> None:
    few = replace(evidence(3, 1, 10), gain_interval=None)
    assert "+20.0 points, too few groups for an interval." in sentence("inconclusive", few, MODELS)
    none = compare(outcomes("ee"), outcomes("pp"), outcomes("pp"), seed=1)
    assert "on 0 test rows, since no row was graded for all three models." in sentence("inconclusive", none, MODELS)
