"""Counts in bounded memory: exact for few values, an estimate of how many for more, in any order."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from assembly.report.tally import MOST_VALUES, BySmallestDigest, Group, Labels, Table, least_of, step_of
from tests.examples import examples

TRAINS = {Group.SELECTED: 1, Group.TRAIN_ROWS: 1, Group.TRAIN_LINES: 2}


def counted(values: list[str]) -> Labels:
    labels = Labels()
    for at, value in enumerate(values):
        labels.add(value, TRAINS, at)
    return labels


def kept(labels: Labels) -> dict[str, list[int]]:
    return {value: cell.counts for value, cell in labels.cells}


def test_few_values_are_counted_exactly_with_their_times() -> None:
    labels = counted(["a", "b", "a"])
    cells = dict(labels.cells)
    assert cells["a"].counts[Group.TRAIN_LINES] == 4
    assert (cells["a"].first, cells["a"].last, labels.cells.distinct) == (0, 2, 2)
    assert not labels.cells.full


def test_many_values_are_bounded_and_how_many_there_were_is_nearly_known() -> None:
    labels = counted([f"user {number}" for number in range(5_000)])
    assert len(labels.cells) == MOST_VALUES
    assert labels.cells.full
    assert 4_000 < labels.cells.distinct < 6_000


def test_what_is_kept_of_many_is_exact_and_the_same_in_any_order() -> None:
    values = [f"user {number % 700}" for number in range(2_100)]
    first = kept(counted(values))
    Random(3).shuffle(values)
    assert kept(counted(values)) == first
    assert all(counts[Group.SELECTED] == 3 for counts in first.values())


def test_a_long_text_is_counted_without_a_word_of_it() -> None:
    labels = Labels()
    labels.add(None, TRAINS, 1)
    assert (len(labels.cells), labels.long.counts[Group.SELECTED]) == (0, 1)


@given(st.integers(0, 1 << 40))
@settings(max_examples=examples(100))
def test_an_amount_lies_in_its_step_which_is_narrow(amount: int) -> None:
    step = step_of(amount)
    assert least_of(step) <= amount * (1 + 1e-9) + 1e-9
    assert amount <= least_of(step + 1) * (1 + 1e-9)
    assert least_of(step + 1) + 1 <= (least_of(step) + 1) * 1.0906


def test_the_weights_of_a_comparison_add_up_to_nothing() -> None:
    table = Table()
    table.add({}, {}, TRAINS, 1, shared=True)
    table.add({}, {}, {**TRAINS, Group.TRAIN_LINES: 1}, 1, shared=False)
    table.add({}, {}, {Group.SELECTED: 1}, 1, shared=True)
    for _ in range(3):
        table.add({}, {}, {Group.PRODUCTION: 1, Group.EITHER: 1}, 1, shared=False)
    weights = table.weights
    assert sum(weights.values()) == table.totals[Group.EITHER] == 4
    assert abs(sum(weight * rows for weight, rows in weights.items())) < 1e-12
    assert not table.is_plain


def test_names_are_told_apart_whatever_stands_in_them() -> None:
    names = BySmallestDigest[int](10)
    for number, name in enumerate(["", "\x00", "\ud800", "é", "e\u0301"]):
        names.put(name, number)
    assert len(names) == 5
