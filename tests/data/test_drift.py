"""Drift in complaints to the CFPB, whose categories got other names in 2017: the later half of them has drifted."""

from __future__ import annotations

import calendar
import csv
import time
from pathlib import Path
from random import Random

import pytest

from assembly.drift import moved
from assembly.drift.cells import fields_of
from assembly.drift.looked import ALPHA
from assembly.drift.observed import observed
from completions.completion import Completion
from distillations.drift.document import FieldDrift, Newcomer
from stats.spending import spent_at
from tests.assembly.reporting import reported
from tests.distilling import build

COMPLAINTS = Path(__file__).resolve().parents[3] / "shared" / "data" / "cfpb_dated_100" / "complaints.csv"

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not COMPLAINTS.is_file(), reason="needs ../shared/data"),
]


@pytest.fixture(scope="module")
def complaints() -> list[Completion]:
    """All complaints in the order of time."""
    with COMPLAINTS.open(encoding="utf-8", newline="") as lines:
        rows = sorted(csv.DictReader(lines), key=lambda row: row["Date received"])
    return [_complaint(number, row) for number, row in enumerate(rows)]


def _complaint(number: int, row: dict[str, str]) -> Completion:
    metadata = {"state": row["State"], "product": row["Product"]}
    record = build.record(number, row["Consumer complaint narrative"], row["Issue"], metadata=metadata)
    record["response"]["created"] = calendar.timegm(time.strptime(row["Date received"], "%Y-%m-%d"))
    return Completion.of(record, at=build.AT)


def found(learnt: list[Completion], traffic: list[Completion]) -> tuple[list[FieldDrift], list[Newcomer]]:
    """What the first look at this traffic finds, beside what was learnt."""
    beside = fields_of(reported(learnt), observed(traffic, [], None), observed(learnt, [], None))
    fields = moved.fields_now(beside, [], alpha=spent_at(1, ALPHA), at=1)
    return [field for field in fields if field.since is not None], moved.newcomers(beside, fields)


def test_the_later_half_drifts_from_the_earlier_one_by_its_new_names(complaints: list[Completion]) -> None:
    drifting, newcomers = found(complaints[:50], complaints[50:])
    assert "metadata.product" in [field.comparison.field for field in drifting]
    named = {one.value: one.examples for one in newcomers if one.field == "metadata.product"}
    assert "Credit card or prepaid card" in named
    later = {completion.id for completion in complaints[50:]}
    assert all(0 < len(examples) <= 5 and later.issuperset(examples) for examples in named.values())


def test_random_halves_do_not_drift(complaints: list[Completion], *, soak: bool) -> None:
    """A hundred seeds with --soak."""
    seeds = range(100 if soak else 4)
    drifting = [seed for seed in seeds if _halves_drift(complaints, seed)]
    assert len(drifting) <= len(seeds) // 20


def _halves_drift(complaints: list[Completion], seed: int) -> bool:
    shuffled = Random(seed).sample(complaints, len(complaints))
    drifting, _ = found(shuffled[:50], shuffled[50:])
    return bool(drifting)
