"""The SMS spam collection as it was published: rows of its test set lie in train and validation, and texts repeat."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from completions.completion import Completion
from distillations.recipe import Duplicates, Recipe
from tests.assembly.curating import completion, curated

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "sms_spam_gpt4_ft"

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="needs ../shared/data/sms_spam_gpt4_ft"),
]


def read(name: str, first: int) -> list[Completion]:
    with (FOLDER / f"{name}_set.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return [
        completion(first + number, row["Text"], "spam" if int(row["Spam"]) else "ham")
        for number, row in enumerate(rows)
    ]


def text(one: Completion) -> str:
    return str(one.messages[0]["content"])


def test_every_leaked_test_row_is_found_and_named_with_its_pair() -> None:
    train = [*read("train", 0), *read("validation", 10_000)]
    test = read("test", 20_000)
    by_id = {one.id: one for one in (*train, *test)}
    trained = {text(one) for one in train}
    leaked = {one.id for one in test if text(one) in trained}
    assert len(leaked) == 134, "as published"

    rows = curated(train, Recipe(steps=[]), test).rows.values()
    pairs = [(row.id, other) for row in rows if row.outcome == "dropped" for other in row.evidence[0].others]
    assert leaked <= {other for _, other in pairs}
    alike = Counter(text(by_id[mine]) == text(by_id[other]) for mine, other in pairs)
    assert alike[True] >= len(leaked)
    assert alike[False] <= 20, "these differ in white space alone"
    assert all(text(by_id[a]).split() == text(by_id[b]).split() for a, b in pairs)


def test_every_duplicate_is_found_and_named_with_the_one_that_is_kept() -> None:
    train = read("train", 0)
    by_id = {one.id: one for one in train}
    assert len(train) - len({text(one) for one in train}) == 206, "as published"

    found = curated(train, Recipe(steps=[Duplicates()]))
    pairs = {row.id: row.evidence[0].others[0] for row in found.rows.values() if row.outcome == "dropped"}
    assert len(pairs) >= 206
    assert len({text(by_id[name]) for name in found.ids("train") + found.ids("validation")}) == len(
        found.ids("train") + found.ids("validation")
    )
    assert all(text(by_id[mine]).split() == text(by_id[kept]).split() for mine, kept in pairs.items())
    assert set(pairs.values()).isdisjoint(pairs), "what is named is kept"
