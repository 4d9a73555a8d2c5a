"""The rules of EventBridge are on while a rollout is open, also of one that begins while they are switched off."""

from __future__ import annotations

import pytest

from rollouts import clock
from tests.flow.system import System

RULES = ("stillhouse-captured", "stillhouse-rollouts")


@pytest.mark.parametrize(
    ("before", "after", "on"), [(False, False, False), (False, True, True), (True, True, True), (True, False, True)]
)
def test_the_rules_stay_on_where_one_is_open_before_or_after(
    system: System, before: bool, after: bool, on: bool
) -> None:
    clock.start()
    found = iter([before, after])
    clock.stop(lambda: next(found))
    assert [system.rule_is_on(rule) for rule in RULES] == [on, on]
