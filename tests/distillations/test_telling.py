"""How a verdict, a blocked and a failed distillation are told in words."""

from __future__ import annotations

from typing import Any

import pytest

from distillations import telling
from distillations.distillation import Step
from distillations.verdict_parts import Saving, SliceGain
from evals.calibrations import JudgeReliability
from tests.distillations.documents import cascade, distillation, plan, score, verdict


def test_the_whole_sentence() -> None:
    assert telling.sentence(verdict(interval=[0.0512, 0.2])) == (
        "ft:small beats its baseline small: 88.0% against 76.0% on 100 test rows, +12.0 points "
        "(95% interval +5.1 to +20.0). It closes 80% of the gap to big."
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
    scores = {"teacher": score("big", 0), "baseline": score("small", 9), "distilled": score("ft:small", 1)}
    sentence = telling.sentence(verdict(outcome=outcome, scores=scores, gain=-0.08, gap_closed=None))
    assert sentence.startswith(f"{claim}: 1.0% against 9.0% on 100 test rows, -8.0 points")
    assert "gap" not in sentence
    assert "left out" not in sentence


def test_the_sentence_names_worse_slices_and_counts_dropped_rows() -> None:
    login = SliceGain(tag="topic=login", rows=20, gain=-1, interval=None)
    sentence = telling.sentence(verdict(slices_worse=[login], dropped=3))
    assert sentence.endswith(" Worse on: topic=login. 3 rows were left out because of errors.")


def test_without_an_interval_or_a_row_the_sentence_says_why() -> None:
    assert "+12.0 points, too few groups for an interval." in telling.sentence(verdict(interval=None))
    assert "on 0 test rows, since no row was graded for all three models." in telling.sentence(verdict(rows=0))


def test_the_evidence_has_a_line_for_each_model_and_one_for_the_rows() -> None:
    lines = telling.evidence_lines(verdict())
    assert lines[1] == "baseline  small: 76/100 = 76.0% (66.8% to 83.3%), 0.060 of the teacher's cost"
    assert lines[2] == "distilled ft:small: 88/100 = 88.0% (80.2% to 93.0%), no price"
    assert lines[3] == "rows won 14, lost 2, exact McNemar p = 0.004181"
    assert len(lines) == 4


def test_the_evidence_says_what_a_cascade_would_do_and_how_an_alias_gets_it() -> None:
    part = cascade("ft:small", to="big")
    told, use = telling.evidence_lines(verdict(cascade=part))[-2:]
    assert told == (
        "cascade: the model keeps 75% of the calls, the teacher answers the others: 95.0%, $2.5 per 1,000 calls, "
        "at most 2 points worse than the teacher with 95% confidence"
    )
    assert use == "use it: --cascade 'ft:small=-0.125 big' of stillhouse alias set"
    nothing = part.sources[0].model_copy(update={"target": None, "share": None, "passed": None})
    assert telling.cascade_lines(part.model_copy(update={"sources": [nothing]})) == []


def test_a_notification_knows_when_it_happened() -> None:
    steps = [Step(status=status, at=at) for status, at in (("queued", 1), ("blocked", 2), ("assembling", 3))]
    blocked = distillation("assembling", history=steps, plan=plan(reasons=["Why."]))
    assert (telling.of_blocked(blocked).at, telling.of_failed(blocked).at) == (2, blocked.created_at)
    assert "at" not in telling.of_blocked(blocked).document()


def test_an_open_question_says_how_many_rows_would_answer_it() -> None:
    assert "about 321 rows" in telling.evidence_lines(verdict(outcome="inconclusive"))[-1]
    assert not any("321" in line for line in telling.evidence_lines(verdict()))


@pytest.mark.parametrize(
    ("card", "line"),
    [
        (None, "judge tone: not calibrated"),
        (
            {"n": 120, "agreement": 0.875, "kappa": 0.714, "stale": False},
            "judge tone: agrees with people on 88% of 120 rows, kappa 0.71",
        ),
        (
            {"n": 9, "agreement": 1.0, "kappa": None, "stale": True},
            "judge tone: agrees with people on 100% of 9 rows (changed since)",
        ),
        ({"n": 0, "agreement": None, "kappa": None, "stale": False}, "judge tone: not calibrated"),
    ],
)
def test_the_evidence_says_what_a_judge_is_worth(card: dict[str, Any] | None, line: str) -> None:
    whole = card and {**dict.fromkeys(JudgeReliability.model_fields), "calibration_id": "calib_1", **card}
    assert telling.evidence_lines(verdict(judges={"tone": whole}))[-1] == line


def test_a_verdicts_notification_carries_it_whole() -> None:
    decided = verdict()
    notification = telling.of_verdict(decided)
    assert notification.document() == {
        "type": "verdict",
        "id": "verdict_1",
        "sentence": "It does.",
        "distillation_id": "distill_1",
        "verdict": decided.model_dump(mode="json"),
    }
    assert notification.lines == telling.evidence_lines(decided)
    assert notification.command == "stillhouse verdict distill_1"


def test_blocked_says_why_and_how_to_go_on() -> None:
    blocked = distillation(plan=plan(reasons=["Too few rows.", "No budget."]))
    notification = telling.of_blocked(blocked)
    assert "blocked before spending: Too few rows. No budget." in notification.sentence
    assert "POST /v1/distillations/distill_1/approve" in notification.lines[0]
    document = notification.document()
    assert (document["type"], document["id"], document["verdict"]) == ("blocked", "distill_1", None)
    assert document["plan"] == (blocked.plan and blocked.plan.model_dump(mode="json"))
    assert "error" not in document


def test_failed_says_why() -> None:
    failure = {"code": "job_failed", "message": "bad line 7"}
    notification = telling.of_failed(distillation(error=failure))
    assert notification.sentence.startswith("The distillation 'triage' failed: bad line 7")
    document = notification.document()
    assert (document["type"], document["verdict"], document["error"]) == ("failed", None, failure)
    assert "plan" not in document


def test_many_worse_slices_are_named_in_part_and_a_sentence_has_an_end() -> None:
    slices = [SliceGain(tag=f"topic={number}", rows=20, gain=-1, interval=None) for number in range(8)]
    assert " Worse on: topic=0, topic=1, topic=2, topic=3, topic=4 and 3 more." in telling.sentence(
        verdict(slices_worse=slices)
    )
    long = [part.model_copy(update={"tag": "ü" * 900}) for part in slices]
    assert len(telling.sentence(verdict(slices_worse=long)).encode()) <= 2048


def test_the_evidence_has_money_time_looks_and_what_speaks_against_the_set() -> None:
    calls = {
        "usd_per_1000": 0.42,
        "latency_ms": 9.0,
        "latency_p50_ms": 7,
        "latency_p95_ms": 90,
        "timed_calls": 3,
        "latency_from": "sampled",
    }
    saving = {
        "usd_per_1000": 3.08,
        "training_usd": 6.0,
        "evals_usd": 0.16,
        "idle_usd_per_month": 0.0,
        "requests_per_month": 3000,
        "usd_per_month": 9.24,
        "break_even_requests": 2000,
        "break_even_months": 0.67,
    }
    lines = telling.evidence_lines(
        verdict(
            as_good_as_teacher=True,
            calls={"distilled": calls},
            saving=saving,
            reuse={"looks": 3, "sweeps": 0, "adjusted_p_value": 0.0125, "interval": None, "outcome_holds": True},
            training_set={"warnings": ["Look at 'hour'."], "leaks": {"near_leaks": 2}, "contradicted": 0},
        )
    )
    assert lines[2].endswith("no price, $0.42 per 1,000 calls, p50 7 ms, p95 90 ms")
    assert lines[4:] == [
        "as good as the teacher, within 2 points",
        "saves $3.08 per 1,000 calls, $9.24 a month at 3,000 captured requests, paid for after 2,000 requests",
        "the outcome is number 3 on these rows: corrected for that, it holds (p = 0.0125)",
        "training set: 2 completions were kept out as near_leaks",
        "training set: Look at 'hour'.",
    ]


def test_what_is_not_known_of_the_money_is_not_told() -> None:
    unknown = dict.fromkeys(Saving.model_fields)
    assert not any("saves" in line for line in telling.evidence_lines(verdict(saving=unknown)))
    only_calls = {**unknown, "usd_per_1000": 1.0}
    assert "saves $1 per 1,000 calls" in telling.evidence_lines(verdict(saving=only_calls))


@pytest.mark.parametrize(
    ("a_thousand", "a_month", "line"),
    [
        (-1.5, -3.0, "costs $1.5 more per 1,000 calls, costs $3.00 more a month at 2,000 captured requests"),
        (4.0, -1.0, "saves $4 per 1,000 calls, costs $1.00 more a month at 2,000 captured requests"),
        (-1.5, None, "costs $1.5 more per 1,000 calls"),
    ],
)
def test_what_costs_more_is_called_that(a_thousand: float, a_month: float | None, line: str) -> None:
    figures = {"usd_per_1000": a_thousand, "usd_per_month": a_month, "requests_per_month": a_month and 2000}
    saving = {**dict.fromkeys(Saving.model_fields), **figures}
    assert line in telling.evidence_lines(verdict(saving=saving))
