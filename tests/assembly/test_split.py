"""Which rows validate: a share of each slice, groups whole, in whatever order the rows come."""

from __future__ import annotations

from collections import Counter
from typing import Any

from distillations.recipe import Recipe
from tests.assembly.curating import completion, curated

KINDS = ["common"] * 400 + ["rare"] * 40 + ["single"]


def held_back(recipe: dict[str, Any], users: int = 0) -> list[int]:
    made = [
        completion(
            number, f"mail {number}", metadata={"kind": kind, **({"user": str(number % users)} if users else {})}
        )
        for number, kind in enumerate(KINDS)
    ]
    ids = curated(made, Recipe(steps=[], validation_share=0.1, **recipe)).ids("validation")
    return [int(name.removeprefix("chatcmpl-")) for name in ids]


def test_the_same_share_of_each_slice_validates_and_a_slice_of_one_row_trains() -> None:
    kinds = Counter(KINDS[number] for number in held_back({"stratify_by": "kind"}))
    assert kinds == {"common": 40, "rare": 4}
    by_chance = Counter(KINDS[number] for number in held_back({}))
    assert by_chance["rare"] != 4 or by_chance["common"] != 40


def test_the_seed_draws_which() -> None:
    assert held_back({"stratify_by": "kind", "seed": 1}) != held_back({"stratify_by": "kind", "seed": 2})


def test_the_rows_of_a_group_go_one_way() -> None:
    for recipe in ({"group_by": "user"}, {"group_by": "user", "stratify_by": "kind"}):
        users = Counter(number % 60 for number in held_back(recipe, users=60))
        assert users
        assert all(count in {7, 8} for count in users.values()), "each whole"
