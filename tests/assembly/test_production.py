"""Which traffic a training set is held against, and when that need not be read again."""

from __future__ import annotations

from typing import Any

import pytest

from assembly import production
from assembly.production import is_what_was_selected, recent_traffic
from completions.sources import StoredCompletions
from distillations.recipe import UsedRecipe
from tests.distilling import build
from tests.flow.system import System

NOW = 1_800_000_000


def source(**conditions: Any) -> StoredCompletions:
    return StoredCompletions(type="stored_completions", **conditions)


def test_the_newest_completions_of_the_filters_count_whatever_their_limits(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    build.captured(system, [build.record(number, f"mail {number}", split="train") for number in range(9)])
    build.captured(system, [build.record(100, "chat", split="other")])
    monkeypatch.setattr(production, "MOST", 4)
    narrow = source(metadata={"split": "train"}, limit=1, created_after=build.AT + 3)
    newest = [completion.id for completion in recent_traffic([narrow], before=build.AT + 7)]
    assert newest == [f"chatcmpl-{number}" for number in (7, 6, 5, 4)]
    both = [completion.id for completion in recent_traffic([narrow, source(metadata={"split": "other"})], before=NOW)]
    assert both == ["chatcmpl-8", "chatcmpl-7", "chatcmpl-100"]


@pytest.mark.parametrize(
    ("conditions", "selected", "same"),
    [
        ({}, 5_000, True),
        ({}, 5_001, False),
        ({"created_before": NOW - 60}, 10, True),
        ({"created_before": NOW - 90_000}, 10, False),
        ({"created_after": 5}, 10, False),
        ({"limit": 10}, 10, False),
    ],
)
def test_a_filter_of_all_times_has_selected_its_traffic_already(
    conditions: dict[str, Any], selected: int, *, same: bool
) -> None:
    asked = source(**conditions)
    recipe = UsedRecipe(source=asked)
    assert is_what_was_selected([asked], recipe, selected, before=NOW) is same
    assert not is_what_was_selected([source(model="other")], recipe, selected, before=NOW)
