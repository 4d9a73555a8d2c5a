"""Reports of published sets: imbalance, drift, and no difference between random halves of one set."""

from __future__ import annotations

import calendar
import csv
import json
import time
from pathlib import Path
from random import Random

import pytest

from completions.completion import Completion
from distillations.recipe import Balance, Recipe
from tests.assembly.curating import completion
from tests.assembly.reporting import differing, drifting, reported
from tests.distilling import build

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
INTENTS = DATA / "clinc150_imbalanced_train" / "train_imbalanced.json"
COMPLAINTS = DATA / "cfpb_dated_100" / "complaints.csv"

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not COMPLAINTS.is_file() or not INTENTS.is_file(), reason="needs ../shared/data"),
]


@pytest.fixture(scope="module")
def complaints() -> list[Completion]:
    with COMPLAINTS.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return [_complaint(number, row) for number, row in enumerate(rows)]


def _complaint(number: int, row: dict[str, str]) -> Completion:
    metadata = {"state": row["State"], "product": row["Product"]}
    record = build.record(number, row["Consumer complaint narrative"], row["Issue"], metadata=metadata)
    record["response"]["created"] = calendar.timegm(time.strptime(row["Date received"], "%Y-%m-%d"))
    return Completion.of(record, at=build.AT)


@pytest.fixture
def intents(*, soak: bool) -> list[Completion]:
    """All 150 intents with --soak, else every tenth of them."""
    rows = json.loads(INTENTS.read_text(encoding="utf-8"))["train"]
    some = set(sorted({intent for _, intent in rows})[:: 1 if soak else 10])
    return [completion(number, text, intent) for number, (text, intent) in enumerate(rows) if intent in some]


def test_names_of_categories_that_changed_are_reported_as_drift(complaints: list[Completion]) -> None:
    report = reported(complaints)
    assert "metadata.product" in drifting(report)
    assert report.drift
    ended = {one.value for one in report.drift.ended["metadata.product"]}
    began = {one.value for one in report.drift.began["metadata.product"]}
    assert {"Credit reporting", "Bank account or service", "Credit card"} <= ended
    assert "Credit card or prepaid card" in began
    assert not ended & began
    [warning] = [one for one in report.warnings if one.startswith("metadata.product changed over time")]
    assert "'Bank account or service' was not seen after 2016-11-12" in warning


def test_floors_hold_and_the_imbalance_shows(intents: list[Completion]) -> None:
    raw = reported(intents)
    [before] = raw.imbalances
    values = len({row.choice["message"]["content"] for row in intents})
    assert (before.values, before.largest_rows, before.smallest_rows) == (values, 100, 25)
    assert {one.train_rows for one in raw.rare_slices} == {25}
    assert any("uneven" in warning for warning in raw.warnings)

    floor = Recipe(steps=[Balance(by="answer", at_least=100, most_copies=4)], validation_share=0)
    report = reported(intents, floor)
    [answer] = [field for field in report.labels if field.field == "answer"]
    assert all(value.train_lines >= 100 for value in answer.values)
    assert min(value.train_rows for value in answer.values) == 25, "what is repeated is no new row"
    assert (report.train_rows, report.train_lines) == (len(intents), 100 * values)


def test_random_halves_of_one_set_do_not_differ(complaints: list[Completion], *, soak: bool) -> None:
    """A hundred seeds with --soak. Of the others each is about a third of a second."""
    seeds = range(100 if soak else 8)
    differ = [seed for seed in seeds if _halves_differ(complaints, seed)]
    assert len(differ) <= len(seeds) // 20


@pytest.mark.soak
def test_random_halves_of_a_large_set_do_not_differ(intents: list[Completion], *, soak: bool) -> None:
    seeds = range(100 if soak else 1)
    differ = [seed for seed in seeds if _halves_differ(intents, seed)]
    assert len(differ) <= len(seeds) // 20


def _halves_differ(rows: list[Completion], seed: int) -> bool:
    shuffled = Random(seed).sample(rows, len(rows))
    half = len(rows) // 2
    return bool(differing(reported(shuffled[:half], production=shuffled[half:])))
