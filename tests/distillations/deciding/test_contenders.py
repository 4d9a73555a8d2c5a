"""The distilled model beside models that were only prompted."""

from __future__ import annotations

from typing import Any

import pytest

from distillations import lineage
from distillations.contender import AgainstContender
from distillations.distillation import Distillation
from distillations.verdict import Verdict
from evals.gains import ONE_SIDED
from foundation import blobs
from stats import PairedCounts, mcnemar_exact, tango_interval
from tests.distilling import build
from verdict.decide import decide

pytestmark = pytest.mark.usefixtures("system")
CHEAP, OTHER = "gpt-6-luna", "gpt-6-nova"


def decided(distilled: str, contenders: dict[str, str | None], **fields: Any) -> Verdict:
    """The verdict over these rows; a contender without rows has a run that was canceled."""
    distillation = build.distillation("deciding", model=build.MODEL, contenders=list(contenders), **fields)
    for role, rows in (("teacher", "p"), ("baseline", "f")):
        build.graded(distillation, role, rows * len(distilled))
    build.graded(distillation, "distilled", distilled)
    for model, rows in contenders.items():
        if rows is None:
            build.run(distillation, model).cancel()
        else:
            build.graded(distillation, model, rows)
    return verdict_of(distillation)


def verdict_of(distillation: Distillation) -> Verdict:
    blobs.put(distillation.rows_key, b'{"item": {"input": []}}\n')
    decide(distillation.id)
    return Verdict.load(distillation.verdict_id)


def against(distilled: str, contender: str, **fields: Any) -> AgainstContender:
    [result] = decided(distilled, {CHEAP: contender}, **fields).contenders
    return result


def test_the_figures_are_those_of_the_pairs() -> None:
    result = against("p" * 30 + "f" * 10, "e" * 2 + "p" * 8 + "f" * 28 + "pp")
    counts = PairedCounts(won=20, lost=2, n=38)
    assert result.score
    assert (result.score.passed, result.score.total, result.gain) == (10, 38, pytest.approx(18 / 38))
    assert result.interval == tango_interval(counts)
    assert result.p_value == mcnemar_exact(20, 2)
    assert (result.finding, result.does_as_well, result.error) == ("better", False, None)


@pytest.mark.parametrize(("margin", "as_well"), [(0.05, True), (0.01, False)])
def test_a_contender_within_the_margin_does_as_well(margin: float, as_well: bool) -> None:
    rows = "p" * 100
    bound = tango_interval(PairedCounts(won=0, lost=0, n=100), ONE_SIDED)
    assert bound is not None
    assert 0.01 < bound.high < 0.05
    assert against(rows, rows, gate={"margin": margin}).does_as_well is as_well


def test_every_contender_must_be_beaten() -> None:
    distilled = "p" * 30 + "f" * 10
    both = decided(distilled, {CHEAP: "f" * 40, OTHER: "p" * 10 + "f" * 30})
    assert (both.beats_contenders, [result.finding for result in both.contenders]) == (True, ["better", "better"])
    assert "It also beats these, which are only prompted: gpt-6-luna, gpt-6-nova." in both.sentence


def test_one_that_is_not_beaten_is_named() -> None:
    verdict = decided("p" * 30 + "f" * 10, {CHEAP: "f" * 40, OTHER: "p" * 29 + "f" * 11})
    assert verdict.beats_contenders is False
    assert "not proven to beat these, which are only prompted: gpt-6-nova." in verdict.sentence


def test_one_that_gave_no_result_is_not_beaten() -> None:
    verdict = decided("p" * 40, {CHEAP: None})
    assert (verdict.beats_contenders, verdict.contenders[0].error) == (False, "Its run ended as canceled.")


def test_without_contenders_nothing_is_said_of_them() -> None:
    verdict = decided("p" * 40, {})
    assert (verdict.beats_contenders, verdict.contenders) == (None, [])
    assert "prompt" not in verdict.sentence


def test_errored_rows_of_a_contender_leave_the_verdict_as_it_is() -> None:
    verdict = decided("p" * 40, {CHEAP: "e" * 40})
    assert (verdict.rows, verdict.dropped, verdict.outcome) == (40, 0, "beats_baseline")
    assert verdict.contenders[0].error == "None of its rows could be graded."


def test_too_few_groups_prove_nothing_about_a_contender() -> None:
    result = against("p" * 40, "f" * 40, gate={"group_by": "user"})
    assert result.finding == "better", "rows without the key are groups of their own"
    distillation = build.distillation(
        "deciding", number=2, model=build.MODEL, contenders=[CHEAP], gate={"group_by": "user"}
    )
    same = [{"user": "a"}] * 40
    for part, rows in (("teacher", "p"), ("baseline", "f"), ("distilled", "p"), (CHEAP, "f")):
        build.graded(distillation, part, rows * 40, metadata=same)
    [result] = verdict_of(distillation).contenders
    assert (result.interval, result.finding, result.does_as_well) == (None, "noise", False)


def test_the_run_of_a_contender_is_part_of_the_lineage_of_the_verdict() -> None:
    verdict = decided("p" * 40, {CHEAP: "f" * 40})
    assert verdict.contenders[0].run_id in {node["id"] for node in lineage.graph(verdict.id)["nodes"]}
