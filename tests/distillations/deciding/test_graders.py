"""Each grader's part in a verdict, on the rows that all three models were graded on."""

from __future__ import annotations

from typing import Any

import pytest

from distillations.deciding.evidence import gather
from distillations.deciding.graders import grader_parts
from distillations.roles import Role
from evals import gains
from evals.eval import Eval
from evals.gains import OutcomeByRow
from evals.outcomes import Result, RowOutcome
from stats import PairedCounts, holm, mcnemar_exact, tango_interval

CHECKS = ("tone", "facts")
EVAL = Eval(
    id="eval_1",
    created_at=1,
    name="e",
    data_source_config={"type": "custom", "schema": {}},
    testing_criteria=[
        {"id": name, "type": "string_check", "name": name, "operation": "eq", "input": "a", "reference": "b"}
        for name in CHECKS
    ],
)


def graded(tone: str, facts: str) -> OutcomeByRow:
    """A letter a row and grader: `p`assed, `f`ailed, or a row that could not be graded."""
    return {
        f"row-{place}": RowOutcome(
            letters == ("p", "p"),
            "e" in letters,
            f"item-{place}",
            {"user": f"u{place % 10}"},
            {name: Result(letter == "p", None) for name, letter in zip(CHECKS, letters, strict=True)},
        )
        for place, letters in enumerate(zip(tone, facts, strict=True))
    }


RUNS: dict[Role, OutcomeByRow] = {
    "teacher": graded("p" * 41, "p" * 41),
    "baseline": graded("p" * 41, "f" * 20 + "p" * 21),
    "distilled": graded("p" * 37 + "f" * 4, "p" * 40 + "e"),
}


def test_the_gain_is_one_graders_and_the_other_takes_from_it() -> None:
    evidence = gather(*RUNS.values(), seed=1)
    tone, facts = grader_parts(EVAL, RUNS, evidence, seed=1)
    adjusted = holm([mcnemar_exact(0, 3), mcnemar_exact(20, 0)])
    assert (tone.name, tone.won, tone.lost, tone.gain) == ("tone", 0, 3, pytest.approx(-3 / 40))
    assert (tone.finding, tone.adjusted_p_value) == ("noise", adjusted[0])
    assert (facts.won, facts.lost, facts.finding, facts.adjusted_p_value) == (20, 0, "better", adjusted[1])
    assert facts.interval == tango_interval(PairedCounts(40, 20, 0))
    assert (facts.teacher.passed, facts.baseline.passed, facts.distilled.passed, facts.distilled.rows) == (
        40,
        20,
        40,
        40,
    )


def test_rows_in_groups_have_the_intervals_of_groups() -> None:
    evidence = gather(*RUNS.values(), seed=1, group_by="user")
    single = grader_parts(EVAL, RUNS, evidence, seed=1)[1]
    grouped = grader_parts(EVAL, RUNS, evidence, seed=1, group_by="user")[1]
    assert grouped.interval
    assert grouped.interval != single.interval


def test_a_grader_without_a_common_row_says_nothing() -> None:
    bare: dict[Role, OutcomeByRow] = {
        role: {row: outcome._replace(results={}) for row, outcome in run.items()} for role, run in RUNS.items()
    }
    [tone, _] = grader_parts(EVAL, bare, gather(*bare.values(), seed=1), seed=1)
    assert (tone.distilled.rows, tone.distilled.pass_rate, tone.adjusted_p_value, tone.finding) == (0, None, 1, "noise")


def test_many_graders_take_few_draws_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand draws of a thousand groups take 1.2 s: fifty graders would take more than the function has."""
    evidence = gather(*RUNS.values(), seed=1, group_by="user")
    drawn: list[int] = []
    own = gains.cluster_interval

    def counted(clusters: Any, *, seed: int, draws: int, confidence: float) -> Any:
        drawn.append(draws)
        return own(clusters, seed=seed, draws=draws, confidence=confidence)

    monkeypatch.setattr(gains, "cluster_interval", counted)
    grader_parts(EVAL, RUNS, evidence, seed=1, group_by="user")
    assert drawn == [2_000] * len(CHECKS)
