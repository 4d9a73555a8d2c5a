"""Objects wait once each, the oldest first."""

import pytest

from foundation import ids
from rollouts import waiting

pytestmark = pytest.mark.usefixtures("system")
ID = "rollout_1"


def test_an_object_waits_once_and_the_oldest_comes_first(monkeypatch):
    assert not waiting.is_any(ID)
    for at, key in enumerate(["c", "a", "b", "c"]):
        monkeypatch.setattr("rollouts.waiting.now_ms", lambda at=at: at)
        waiting.add(ID, key, calls=at + 1, nanodollars=10 * at)
    assert waiting.is_any(ID)
    assert not waiting.is_any("rollout_2")
    assert [(each.key, each.calls, each.nanodollars, each.since_ms) for each in waiting.those(ID)] == [
        ("c", 1, 0, 0),
        ("a", 2, 10, 1),
        ("b", 3, 20, 2),
    ]


def test_what_leaves_or_is_forgotten_waits_no_more():
    for key in "abc":
        waiting.add(ID, key, calls=1, nanodollars=ids.now())
    waiting.leave(ID, ["a", "none"])
    assert [each.key for each in waiting.those(ID)] == ["b", "c"]
    waiting.forget(ID)
    assert not waiting.is_any(ID)
