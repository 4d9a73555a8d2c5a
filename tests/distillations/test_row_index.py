"""A page of a dataset's rows costs a page, and is the same as by reading all."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from distillations import row_index
from distillations.dataset_row import DatasetRow, Evidence
from distillations.row_index import Rows
from foundation import blobs

RULES = ["duplicates", "near_leaks", "truncated"]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """The lengths of the ranges that are read; objects lie in memory."""
    objects: dict[str, bytes] = {}
    lengths: list[int] = []

    def get(key: str, *, offset: int = 0, length: int) -> bytes:
        lengths.append(length)
        return objects[key][offset : offset + length]

    monkeypatch.setattr(blobs, "get", get)
    monkeypatch.setattr(blobs, "exists", objects.__contains__)
    monkeypatch.setattr(blobs, "put_lines", lambda key, lines, **_: objects.update({key: b"".join(lines)}))
    return lengths


def row(number: int, rng: random.Random) -> DatasetRow:
    evidence = [Evidence(rule=rule, action="dropped", reason="why") for rule in RULES if rng.random() < 0.2]
    return DatasetRow(id=f"chatcmpl-{number}", outcome="dropped" if evidence else "train", evidence=evidence)


def ids(rows: Iterator[dict[str, Any]]) -> list[str]:
    return [found["id"] for found in rows]


@pytest.mark.parametrize("total", [0, 1, 499, 500, 501, 1700])
def test_every_page_is_that_of_reading_all(total: int, read: list[int]) -> None:  # noqa: ARG001
    rng = random.Random(total)
    rows = [row(number, rng) for number in range(total)]
    row_index.write("dataset_1", map(row_index.line_of, rows))
    found = Rows("dataset_1")
    for outcome, rule in [(None, None), ("dropped", None), ("train", None), ("dropped", "near_leaks"), (None, "none")]:
        fitting = [
            one.id
            for one in rows
            if outcome in {None, one.outcome} and (rule is None or rule in {evidence.rule for evidence in one.evidence})
        ]
        assert ids(found.fitting(outcome, rule, after=None)) == fitting
        for after in rng.sample(rows, min(5, total)):
            behind = [name for name in fitting if int(name.split("-")[1]) > int(after.id.split("-")[1])]
            assert ids(found.fitting(outcome, rule, after=after.id)) == behind
    assert ids(found.fitting(None, None, after="chatcmpl-none")) == []
    assert found.find("chatcmpl-none") is None
    for one in rng.sample(rows, min(5, total)):
        assert found.find(one.id) == one.model_dump(mode="json")


def test_a_page_and_a_row_of_many_read_little(read: list[int]) -> None:
    rng = random.Random(1)
    rows = [DatasetRow(id=f"chatcmpl-{number}", outcome="train") for number in range(20_000)]
    rows[15_000] = row(15_000, rng).model_copy(update={"outcome": "dropped"})
    row_index.write("dataset_1", map(row_index.line_of, rows))
    size = sum(len(one.model_dump_json()) for one in rows)
    for ask in (
        lambda found: next(found.fitting(None, None, after="chatcmpl-19000")),
        lambda found: next(found.fitting("dropped", None, after=None)),
        lambda found: found.find("chatcmpl-12345"),
    ):
        read.clear()
        ask(Rows("dataset_1"))
        assert sum(read) < size / 10
        assert len(read) <= 6
