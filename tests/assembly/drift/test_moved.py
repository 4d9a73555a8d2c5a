"""When a field drifts, for how long, and when that is news."""

from __future__ import annotations

from typing import Literal

import pytest

from assembly.drift import moved
from assembly.drift.cells import Beside
from assembly.report.compare import CellName, Cells
from distillations.drift.document import FieldDrift

type Side = Literal["selected", "trained"]


def field(name: str, traffic: list[int], trained: list[int], selected: list[int] | None = None) -> Beside:
    names: list[CellName] = [(value, "value") for value in "abcdef"[: len(traffic)]]
    ours = {name: ["chatcmpl-1"] for name, _ in names}
    sides = [Cells(name, "labels", names, traffic, other) for other in (trained, selected or trained)]
    return Beside(*sides, ours)


def look(before: list[FieldDrift], at: int, *fields: Beside) -> list[FieldDrift]:
    """A look, after which people know what there is to tell."""
    now = moved.fields_now(fields, before, alpha=0.01, at=at)
    return moved.told(now) if moved.is_to_tell(now) else now


AS_IT_WAS = field("topic", [300, 300], [300, 300])
AWAY = field("topic", [420, 180], [300, 300])
FURTHER = field("topic", [520, 80], [300, 300])


def test_it_begins_lasts_and_ends_after_three_quiet_looks() -> None:
    states = [look([], 1, AS_IT_WAS)]
    for at, traffic in enumerate([AWAY, AWAY, AS_IT_WAS, AS_IT_WAS, AWAY, AS_IT_WAS, AS_IT_WAS, AS_IT_WAS], start=2):
        states.append(look(states[-1], at, traffic))
    assert [state[0].since for state in states] == [None, 2, 2, 2, 2, 2, 2, 2, None]
    assert states[-1][0].told_psi is None


def test_it_is_news_at_its_onset_and_where_it_is_clearly_worse() -> None:
    news, before = [], list[FieldDrift]()
    for at, traffic in enumerate([AS_IT_WAS, AWAY, AWAY, FURTHER, FURTHER, *3 * [AS_IT_WAS], AWAY]):
        now = moved.fields_now([traffic], before, alpha=0.01, at=at)
        news.append(moved.is_to_tell(now))
        before = moved.told(now) if news[-1] else now
    assert news == [False, True, False, True, False, False, False, False, True]


def test_another_field_is_news_only_where_it_is_far_away() -> None:
    known = look([], 1, AWAY)
    near, far = field("tier", [420, 180], [300, 300]), field("tier", [540, 60], [300, 300])
    assert not moved.is_to_tell(moved.fields_now([AWAY, near], known, alpha=0.01, at=2))
    assert moved.is_to_tell(moved.fields_now([AWAY, far], known, alpha=0.01, at=2))


def test_what_the_recipe_made_even_is_no_drift_and_neither_is_traffic_that_came_to_it() -> None:
    """A rare value was repeated until it had half of the lines; or the traffic has become what trains."""
    assert look([], 1, field("topic", [540, 60], [300, 300], [540, 60]))[0].since is None
    assert look([], 1, field("topic", [300, 300], [300, 300], [540, 60]))[0].since is None
    assert look([], 1, field("topic", [100, 500], [300, 300], [540, 60]))[0].since == 1


def test_a_field_of_which_a_look_tells_nothing_stays_for_three_looks() -> None:
    drifting = look([], 1, AWAY)
    assert [one.since for one in look(drifting, 2)] == [1]
    assert look(look(look(drifting, 2), 3), 4) == []


def test_values_that_were_rare_and_are_common_are_named_with_completions() -> None:
    came = field("topic", [200, 200, 200], [300, 300, 2])
    [newcomer] = moved.newcomers([came], look([], 1, came))
    assert (newcomer.value, round(newcomer.share, 2), newcomer.examples) == ("c", 0.33, ["chatcmpl-1"])
    steady = field("topic", [300, 300, 2], [300, 300, 2])
    assert moved.newcomers([steady], look([], 1, steady)) == []


def test_what_is_sure_and_too_small_to_notice_is_no_drift() -> None:
    """Of a hundred thousand rows two points more are no chance, and nothing that a model would feel."""
    [small] = look([], 1, field("topic", [52_000, 48_000], [50_000, 50_000]))
    assert (small.comparison.p_value < 1e-6, small.comparison.psi < 0.1, small.since) == (True, True, None)


def test_a_late_look_at_few_rows_is_as_sure_as_it_says() -> None:
    """Of 60 rows twelve have what 4% of 2,000 have, one chance in 140,000: too much for a look that may use less."""
    few = field("tier", [48, 12], [1920, 80])
    [early], [late] = (moved.fields_now([few], [], alpha=alpha, at=1) for alpha in (1e-5, 1e-6))
    assert early.comparison.p_value == pytest.approx(7.3e-6, rel=0.01)
    assert (early.since, late.since) == (1, None)
