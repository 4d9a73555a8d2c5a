"""A round has the completions whose rows name it, once it is there."""

import pytest

from rollouts.round import RolloutRound
from rollouts.taken import forget, holders, round_with, rounds_with, take

pytestmark = pytest.mark.usefixtures("system")
ID = "rollout_1"


def test_what_a_round_has_taken_is_free_until_the_round_is_written():
    take(ID, "round_a", ["one", "two"])
    assert rounds_with(ID, ["one", "two", "three"]) == {"one": "round_a", "two": "round_a"}
    assert holders(ID, ["one", "two", "three"]) == {}
    # Whoever had taken them was killed.
    take(ID, "round_b", ["two", "three"])
    written = RolloutRound(id="round_b", rollout_id=ID, key="k", window=1, stage=0, begun_at=1).begin()
    assert holders(ID, ["one", "two", "three"]) == {"two": written, "three": written}
    assert holders("rollout_2", ["two"]) == {}


def test_what_is_forgotten_was_taken_by_none():
    take(ID, "round_a", [str(number) for number in range(30)])
    forget(ID)
    assert rounds_with(ID, map(str, range(30))) == {}
    assert round_with(ID, "1") is None
