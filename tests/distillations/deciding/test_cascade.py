"""The cascade of a verdict: what it keeps, loses and costs, drawn by groups, and why nothing can be promised."""

from __future__ import annotations

from typing import Any

import pytest

from distillations.cascade import CascadePart
from distillations.deciding.cascade import cascade_of
from evals.outcomes import RowOutcome
from stats import ComparedRow, safe_threshold


def outcomes(letters: str, sure: list[float | None] | None = None, group: int = 1) -> dict[str, RowOutcome]:
    known = sure or [None] * len(letters)
    return {
        f"row-{number}": RowOutcome(
            letter == "p", letter == "e", f"item-{number}", {"user": f"u{number // group}"}, confidence=known[number]
        )
        for number, letter in enumerate(letters)
    }


def part(teacher: dict[str, RowOutcome], distilled: dict[str, RowOutcome], **given: Any) -> CascadePart:
    figures = {"margin": 0.02, "costs": (5e6, 1e6), "seed": 3, **given}
    return cascade_of(("big", teacher), ("student", distilled), **figures)


# The surest 300 rows are as good as the teacher's, of the other 100 each second one is lost.
SURE: list[float | None] = [-0.001 * number for number in range(400)]
STUDENT, TEACHER = "p" * 300 + "pf" * 50, "p" * 400


def test_the_figures_by_hand() -> None:
    found = part(outcomes(TEACHER), outcomes(STUDENT, SURE))
    [by] = found.sources
    expected = safe_threshold(
        [ComparedRow(sure, float(letter == "f")) for sure, letter in zip(SURE, STUDENT, strict=True)], margin=0.02
    )
    assert expected is not None
    assert (by.threshold, by.kept, by.rows, by.known) == (expected.threshold, expected.kept, 400, 400)
    assert 300 <= expected.kept < 310
    assert (by.share, by.loss, by.why_none) == (expected.share, expected.loss, None)
    assert by.passed is not None
    assert by.passed.passed == 400 - round(400 * expected.loss)
    assert by.usd_per_1000 == pytest.approx(1 + 5 * (1 - expected.share))
    assert (found.teacher_usd_per_1000, found.distilled_usd_per_1000, found.confidence) == (5.0, 1.0, 0.95)
    assert by.target is not None
    assert by.target.model_dump() == {
        "model": "student",
        "cascade": {"to": "big", "by": "logprob", "threshold": expected.threshold},
    }


def test_a_cost_that_is_not_known_is_none() -> None:
    found = part(outcomes(TEACHER), outcomes(STUDENT, SURE), costs=(None, 1e6))
    assert (found.sources[0].usd_per_1000, found.teacher_usd_per_1000) == (None, None)
    assert found.sources[0].share is not None


def test_rows_that_one_of_them_errored_on_take_no_part_and_unknown_ones_are_sent_on() -> None:
    sure = [None, *SURE[1:]]
    [by] = part(outcomes("e" + TEACHER[1:]), outcomes(STUDENT, SURE)).sources
    assert (by.rows, by.known) == (399, 399)
    [by] = part(outcomes(TEACHER), outcomes("f" + STUDENT[1:], sure)).sources
    [alone] = part(outcomes(TEACHER), outcomes(STUDENT, SURE)).sources
    assert (by.rows, by.known, by.threshold, by.loss) == (400, 399, alone.threshold, alone.loss)


def test_of_a_group_one_row_counts_the_same_each_time() -> None:
    # The two rows of a group are alike: half of the rows are left, and the seed says which.
    sure: list[float | None] = [-0.001 * (number // 2) for number in range(800)]
    letters = "".join(letter * 2 for letter in STUDENT)
    grouped = outcomes(letters, sure, group=2)
    [by] = part(outcomes("p" * 800, group=2), grouped, group_by="user").sources
    [alone] = part(outcomes(TEACHER), outcomes(STUDENT, SURE)).sources
    assert (by.rows, by.threshold, by.kept) == (400, alone.threshold, alone.kept)
    mixed = outcomes("pf" * 400, group=2)
    drawn = {seed: part(mixed, outcomes("pf" * 400, sure, group=2), group_by="user", seed=seed) for seed in (1, 2)}
    first, second = (drawn[seed].sources[0].passed for seed in (1, 2))
    assert first is not None
    assert first != second
    assert 150 < first.passed < 250
    assert drawn[1] == part(mixed, outcomes("pf" * 400, sure, group=2), group_by="user", seed=1)


@pytest.mark.parametrize(
    ("teacher", "student", "sure", "margin", "why"),
    [
        (TEACHER, STUDENT, None, 0.02, "no log-probabilities"),
        ("p" * 100, "p" * 100, SURE[:100], 0.02, "takes 221 rows"),
        (TEACHER, STUDENT, SURE, 0.0, "margin of 0 points"),
        (TEACHER, STUDENT, SURE, 5e-324, "however many"),
        (TEACHER, "f" * 400, [-0.5] * 400, 0.02, "No threshold"),
        ("", "", [], 0.02, "no log-probabilities"),
    ],
)
def test_where_nothing_can_be_promised_it_says_why(
    teacher: str, student: str, sure: list[float | None] | None, margin: float, why: str
) -> None:
    [by] = part(outcomes(teacher), outcomes(student, sure), margin=margin).sources
    assert (by.threshold, by.kept, by.share, by.loss, by.passed, by.usd_per_1000, by.target) == (None,) * 7
    assert why in (by.why_none or "")
