"""A dataset that is made anew with a dropped row: by the same sources and recipe, and never with a test row."""

from __future__ import annotations

from typing import Any

import pytest

from dashboard.pages.datasets import _is_undoable
from dashboard.undone import made_anew

SOURCE = {"type": "stored_completions", "metadata": {"split": "train"}, "limit": None}


def dataset(**fields: Any) -> dict[str, Any]:
    recipe = {"source": SOURCE, "seed": 7, "keep": ["a"], "drop": ["b", "c"]}
    made = {"card": {"recipe": recipe}, "trainer": "default", "dry_run": False, "production": None, "held_out": None}
    return made | fields


def test_what_the_set_was_made_of_stays_and_a_row_is_kept() -> None:
    anew = made_anew(dataset(production=SOURCE, held_out={**SOURCE, "limit": 9}), ["b"], None)
    assert anew["source"] == SOURCE
    assert anew["recipe"] == {"seed": 7, "keep": ["a", "b"], "drop": ["c"]}
    assert anew["production"] == {"type": "stored_completions", "metadata": {"split": "train"}}
    assert anew["held_out"]["limit"] == 9
    assert (anew["trainer"], anew["dry_run"]) == ("default", False)


def test_that_of_a_distillation_holds_its_test_rows_out() -> None:
    assert made_anew(dataset(), ["b"], {"test": SOURCE})["held_out"]["metadata"] == {"split": "train"}
    assert "held_out" not in made_anew(dataset(), ["b"], None)


@pytest.mark.parametrize(
    ("rule", "may"),
    [
        ("duplicates", True),
        ("quality", True),
        ("test_leaks", False),
        ("near_leaks", False),
        ("test_conversations", False),
        ("malformed", False),
        ("untrainable", False),
    ],
)
def test_what_no_person_overrules(rule: str, may: bool) -> None:
    row = {"outcome": "dropped", "evidence": [{"rule": rule, "effect": "dropped"}]}
    assert _is_undoable(row) is may
