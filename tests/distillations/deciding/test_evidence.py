"""Three runs on the same rows: who passed what the other did not, and how sure that is."""

from __future__ import annotations

import pytest

from distillations.deciding.evidence import gather
from stats import PairedCounts, cluster_interval, mcnemar_exact, tango_interval, wilson
from tests.distillations.deciding.tables import evidence, outcomes

TEACHER, BASELINE, DISTILLED = "ppppppff", "ppffffpf", "pfppppff"


def test_the_figures_by_hand() -> None:
    evidence = gather(
        outcomes(TEACHER, run="t"), outcomes(BASELINE, run="b"), outcomes(DISTILLED, run="d"), seed=1
    )  # won: rows 2-5; lost: rows 1 and 6
    assert (evidence.rows, evidence.dropped, evidence.counts) == (8, 0, PairedCounts(n=8, won=4, lost=2))
    assert {role: (score.passed, score.total) for role, score in evidence.scores.items()} == {
        "teacher": (6, 8),
        "baseline": (3, 8),
        "distilled": (5, 8),
    }
    assert evidence.scores["distilled"].score == 0.625
    assert evidence.scores["distilled"].interval == wilson(5, 8)
    assert evidence.counts.gain == 0.25
    assert evidence.gain_interval == tango_interval(PairedCounts(8, 4, 2))
    assert evidence.p_value == mcnemar_exact(4, 2)
    assert evidence.against_teacher == tango_interval(PairedCounts(8, 0, 1))
    assert evidence.noninferiority_bound == tango_interval(PairedCounts(8, 0, 1), 0.9).low
    assert evidence.won == ["d-2", "d-3", "d-4", "d-5"]
    assert evidence.lost == ["d-1", "d-6"]


def test_rows_pair_by_name_and_not_by_place() -> None:
    tables = [outcomes(rows) for rows in (TEACHER, BASELINE, DISTILLED)]
    turned = dict(reversed(tables[1].items()))
    straight = gather(*tables, seed=1)
    crossed = gather(tables[0], turned, tables[2], seed=1)
    assert crossed == straight


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_error_in_one_run_drops_the_row_from_all_three(place: int) -> None:
    rows = [TEACHER, BASELINE, DISTILLED]
    rows[place] = rows[place][:2] + "e" + rows[place][3:]  # row 2, which was won
    evidence = gather(*(outcomes(row) for row in rows), seed=1)
    assert (evidence.rows, evidence.dropped, evidence.counts.won) == (7, 1, 3)
    assert {score.total for score in evidence.scores.values()} == {7}
    assert "run-2" not in evidence.won


def test_a_row_that_one_run_does_not_have_counts_as_dropped() -> None:
    short = outcomes(TEACHER)
    short.pop("row-0")
    evidence = gather(short, outcomes(BASELINE), outcomes(DISTILLED), seed=1)
    assert (evidence.rows, evidence.dropped) == (7, 1)


def test_no_row_is_no_evidence() -> None:
    evidence = gather(outcomes("eee"), outcomes("ppp"), outcomes("ppp"), seed=1)
    assert (evidence.rows, evidence.dropped, evidence.p_value) == (0, 3, 1.0)
    assert evidence.gain_interval == (-1.0, 1.0)
    assert (evidence.gap_closed, evidence.gap_closed_interval, evidence.slices) == (None, None, [])


def test_the_gap_closed_is_a_share_of_the_teachers_lead() -> None:
    # The talk's: the teacher passes 91, the baseline 76, the distilled model 88 of 100.
    teacher, baseline, distilled = "p" * 91 + "f" * 9, "p" * 76 + "f" * 24, "p" * 88 + "f" * 12
    evidence = gather(outcomes(teacher), outcomes(baseline), outcomes(distilled), seed=1)
    assert evidence.gap_closed == pytest.approx(0.8)
    assert evidence.gap_closed_interval
    assert evidence.gap_closed_interval.low < 0.8 < evidence.gap_closed_interval.high


def test_without_a_sure_lead_of_the_teacher_there_is_no_gap() -> None:
    evidence = gather(outcomes("ppff"), outcomes("pfff"), outcomes("ppff"), seed=1)
    assert (evidence.gap_closed, evidence.gap_closed_interval) == (None, None)


def test_the_same_seed_gives_the_same_intervals_and_another_does_not() -> None:
    tables = ["p" * 60 + "f" * 10, "p" * 20 + "f" * 50, "p" * 45 + "f" * 25]

    def at(seed: int) -> object:
        return gather(*(outcomes(rows) for rows in tables), seed=seed).gap_closed_interval

    assert at(1) == at(1) != at(2)


# ------------------------------------------------------------------ groups

# Eight users with six rows each: the distilled model wins all rows of five and loses all of one.
GROUPED = [{"user": f"u{number // 6}"} for number in range(48)]
OURS = "p" * 30 + "f" * 6 + "p" * 12
THEIRS = "f" * 30 + "p" * 6 + "p" * 12


def test_rows_of_one_group_are_not_taken_for_independent() -> None:
    tables = [outcomes(rows, metadata=GROUPED) for rows in ("p" * 48, THEIRS, OURS)]
    single, grouped = gather(*tables, seed=5), gather(*tables, seed=5, group_by="user")
    differences = {f"u{user}": [1.0 if user < 5 else -1.0 if user == 5 else 0.0] * 6 for user in range(8)}
    assert grouped.gain_interval == cluster_interval(differences, seed=5)
    assert single.gain_interval
    assert grouped.gain_interval
    assert grouped.gain_interval.low < single.gain_interval.low
    against = cluster_interval({f"u{user}": [-1.0 if user == 5 else 0.0] * 6 for user in range(8)}, seed=5)
    assert grouped.against_teacher == against
    assert grouped.noninferiority_bound
    assert against
    assert against.low < grouped.noninferiority_bound < against.high
    assert single.gap_closed_interval
    assert grouped.gap_closed_interval is None
    assert grouped.gap_closed == single.gap_closed


def test_too_few_groups_give_no_interval() -> None:
    tags = [{"user": f"u{number // 10}"} for number in range(48)]
    evidence = gather(*(outcomes(rows, metadata=tags) for rows in ("p" * 48, THEIRS, OURS)), seed=5, group_by="user")
    assert (evidence.gain_interval, evidence.against_teacher, evidence.noninferiority_bound) == (None, None, None)


def test_a_row_without_the_key_is_a_group_of_its_own() -> None:
    tables = [outcomes(rows) for rows in ("p" * 48, THEIRS, OURS)]
    every = {str(number): [float(ours) - float(theirs)] for number, (ours, theirs) in enumerate(_pairs())}
    assert gather(*tables, seed=5, group_by="user").gain_interval == cluster_interval(every, seed=5)


def _pairs() -> list[tuple[bool, bool]]:
    return [(ours == "p", theirs == "p") for ours, theirs in zip(OURS, THEIRS, strict=True)]


# ------------------------------------------------------------------ slices


def sliced(tags: list[dict[str, str]], theirs: str, ours: str) -> dict[str, tuple[int, float, bool]]:
    tables = [outcomes(rows, metadata=tags) for rows in ("p" * len(tags), theirs, ours)]
    return {slice_.tag: (slice_.rows, slice_.gain, slice_.worse) for slice_ in gather(*tables, seed=1).slices}


def test_a_slice_that_got_worse_is_named_beside_a_gain_overall() -> None:
    tags = [{"topic": "login" if number < 20 else "billing"} for number in range(80)]
    evidence = sliced(tags, "p" * 20 + "f" * 60, "f" * 12 + "p" * 8 + "p" * 60)
    assert evidence == {"topic=login": (20, -0.6, True), "topic=billing": (60, 1.0, False)}


def test_a_loss_that_chance_explains_is_not_called_worse() -> None:
    tags = [{"topic": "login" if number < 20 else "billing"} for number in range(40)]
    assert sliced(tags, "p" * 20 + "f" * 20, "f" * 2 + "p" * 18 + "f" * 20)["topic=login"] == (20, -0.1, False)


def test_many_slices_are_judged_together() -> None:
    # Six losses of six are p = 0.031 alone, and nothing among ten slices.
    rows = 10 * 20
    tags = [{"topic": f"t{number // 20}"} for number in range(rows)]
    ours = "f" * 6 + "p" * (rows - 6)
    evidence = sliced(tags, "p" * rows, ours)
    assert len(evidence) == 10
    assert not any(worse for _, _, worse in evidence.values())


def test_small_slices_whole_sets_and_tags_with_a_value_a_row_are_left_out() -> None:
    tags = [
        {"small": "yes" if number < 19 else f"rest-{number % 2}", "all": "same", "id": str(number)}
        for number in range(75)
    ]
    assert set(sliced(tags, "p" * 75, "p" * 75)) == {"small=rest-0", "small=rest-1"}


def test_the_table_maker_makes_what_it_says() -> None:
    made = evidence(9, 1, 100, dropped=2)
    assert (made.counts, made.rows, made.dropped) == (PairedCounts(100, 9, 1), 100, 2)
