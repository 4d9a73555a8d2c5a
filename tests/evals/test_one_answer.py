"""Which criteria tell nothing apart, by the counts of runs of different models."""

from __future__ import annotations

import pytest

from evals.counts import CriterionResult
from evals.data_sources import FileId, JsonlSource
from evals.eval import Eval
from evals.one_answer import one_answer, warnings_of
from evals.run import Run

NAMES = ("format", "judged")
EVAL = Eval(
    id="eval_1",
    created_at=1,
    name="triage",
    data_source_config={"type": "custom"},
    testing_criteria=[
        {"id": f"{name}-1", "type": "string_check", "name": name, "operation": "eq", "input": "a", "reference": "a"}
        for name in NAMES
    ],
)


def run(model: str, *counts: tuple[int, int, int], number: int = 1, status: str = "completed") -> Run:
    """A run with (passed, failed, errored) of each criterion."""
    results = [
        CriterionResult(testing_criteria=f"{name}-1", passed=passed, failed=failed, errored=errored)
        for name, (passed, failed, errored) in zip(NAMES, counts, strict=True)
    ]
    source = JsonlSource(type="jsonl", source=FileId(type="file_id", id="file-1"))
    return Run(
        id=f"evalrun_{number}",
        created_at=number,
        eval_id=EVAL.id,
        status=status,
        model=model,
        name="run",
        data_source=source,
        per_testing_criteria_results=results,
    )


@pytest.mark.parametrize(
    ("first", "second", "answer"),
    [
        ((0, 12, 0), (0, 10, 0), "failed"),
        ((12, 0, 0), (10, 0, 0), "passed"),
        ((12, 3, 3), (12, 2, 2), "passed"),  # rows that it could not grade are no answer
        ((12, 0, 0), (0, 12, 0), None),
        ((12, 1, 0), (12, 0, 0), None),
        ((9, 0, 0), (12, 0, 0), None),  # few rows say little
        ((0, 12, 12), (0, 12, 12), None),
    ],
)
def test_one_answer_is_named_with_the_models(
    first: tuple[int, int, int], second: tuple[int, int, int], answer: str | None
) -> None:
    tells_apart = (6, 6, 0)
    warnings = one_answer(EVAL, [run("big", tells_apart, first), run("small", tells_apart, second)])
    if answer is None:
        assert warnings == []
    else:
        (sentence,) = warnings
        assert sentence.startswith(f"The criterion 'judged' {answer} every row of every model (big, small)")


def test_one_model_alone_says_nothing() -> None:
    assert one_answer(EVAL, [run("big", (12, 0, 0), (0, 12, 0))]) == []


@pytest.mark.usefixtures("cloud")
def test_a_run_is_held_against_the_newest_completed_run_of_each_other_model() -> None:
    EVAL.create()
    dull, sharp = (12, 0, 0), (6, 6, 0)
    ours = run("big", dull, dull, number=9)
    assert warnings_of(ours) == []
    for other in (
        run("small", dull, dull, number=1),
        run("small", sharp, dull, number=2),
        run("small", sharp, sharp, number=3, status="failed"),
        run("big", sharp, sharp, number=4),
        run("", sharp, sharp, number=5),
    ):
        other.create()
    assert [sentence.split("'")[1] for sentence in warnings_of(ours)] == ["judged"]
    assert warnings_of(ours.model_copy(update={"model": ""})) == []
    EVAL.remove()
    assert warnings_of(ours) == []
