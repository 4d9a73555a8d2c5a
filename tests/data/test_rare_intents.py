"""A student that has seen few rows of some intents: the report names them, and the verdict how it does on them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from distillations.deciding.rare_slices import rare_gains
from evals.outcomes import RowOutcome
from local.lab.student import Example, train
from tests.assembly.curating import completion
from tests.assembly.reporting import reported

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
UNEVEN = DATA / "clinc150_imbalanced_train" / "train_imbalanced.json"
WHOLE = DATA / "clinc150" / "data_full.json"

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not UNEVEN.is_file() or not WHOLE.is_file(), reason="needs ../shared/data"),
]


def passes(examples: list[Example], test: list[Example]) -> dict[str, RowOutcome]:
    answers = train(examples, seed=1, passes=15).answers([row.prompt for row in test])
    return {
        str(number): RowOutcome(answer == row.answer, False, f"item-{number}", {})
        for number, (answer, row) in enumerate(zip(answers, test, strict=True))
    }


def test_the_verdict_shows_the_rare_intents_of_an_uneven_set() -> None:
    uneven, whole = json.loads(UNEVEN.read_text()), json.loads(WHOLE.read_text())
    some = set(sorted({intent for _, intent in uneven["train"]})[::10])
    few, even, test = (
        [Example(text, intent) for text, intent in rows if intent in some]
        for rows in (uneven["train"], whole["train"], whole["test"])
    )
    report = reported([completion(number, row.prompt, row.answer) for number, row in enumerate(few)])
    rare = {one.value: one.train_rows for one in report.rare_slices}
    assert rare
    assert set(rare.values()) == {25}
    answers = {str(number): row.answer for number, row in enumerate(test)}
    distilled, baseline = passes(few, test), passes(even, test)
    shown = rare_gains(report.rare_slices, list(distilled), distilled, baseline, answers, seed=1)
    assert {one.tag: (one.rows, one.train_rows) for one in shown} == {f"answer={intent}": (30, 25) for intent in rare}
    assert all(one.interval and one.interval.low <= one.gain <= one.interval.high for one in shown)
    assert sum(one.gain for one in shown) <= 0, "fewer rows make no better student"
