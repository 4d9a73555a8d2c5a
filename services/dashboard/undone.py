"""A dropped row that a person wants to train after all: the dataset is made anew with it.

In: a dataset as the API shows it, the rows to keep, and the distillation that it was made for, if any. Out: the body of
a new dataset, of the same sources and recipe. A dataset itself never changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from distillations.recipe import Recipe

LASTING = frozenset({"test_leaks", "near_leaks", "test_conversations", "malformed", "untrainable"})
"""Rules that no person overrules: test rows never train, and what no trainer takes cannot."""


def made_anew(
    dataset: Mapping[str, Any], keep: Sequence[str], distillation: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The dataset with these rows kept, beside those that were kept before."""
    used = dataset["card"]["recipe"]
    recipe = {name: used[name] for name in Recipe.model_fields if name in used}
    kept = list(dict.fromkeys([*recipe.get("keep", []), *keep]))
    recipe |= {"keep": kept, "drop": [row for row in recipe.get("drop", []) if row not in keep]}
    body = {"source": used["source"], "recipe": recipe, "trainer": dataset["trainer"], "dry_run": dataset["dry_run"]}
    if dataset["production"]:
        body["production"] = _given(dataset["production"])
    if dataset["held_out"]:
        body["held_out"] = _given(dataset["held_out"])
    elif distillation:
        # The filter and not its frozen rows: with it go the teacher's answers, which need not be paid again.
        body["held_out"] = _given(distillation["test"])
    return body


def _given(source: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in source.items() if value is not None}
