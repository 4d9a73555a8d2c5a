"""An error of one round stops no other, nor the steps of its rollout; one of a rollout stops no other rollout."""

from __future__ import annotations

import pytest

from rolling_out import advance
from rollouts.rollout import Rollout
from rollouts.round import RolloutRound, Tally
from tests.conftest import Context
from tests.flow.system import System
from tests.rolling_out.calls import begun
from tests.rollouts.build import add_round, tally


@pytest.fixture
def odd(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds whose key is `odd` cannot be tallied; of all others the candidate is much worse."""

    def tally_of(_: Rollout, round_: RolloutRound) -> Tally:
        if round_.key == "odd":
            raise ValueError("odd")
        return tally(200, 100)

    monkeypatch.setattr(advance, "tally_of", tally_of)


@pytest.mark.usefixtures("system", "odd")
@pytest.mark.parametrize("keys", [("odd", "sound"), ("sound", "odd")])
def test_a_round_that_cannot_be_tallied_keeps_nothing_from_going_back(keys: tuple[str, str], context: Context) -> None:
    rollout = begun()
    for key in keys:
        add_round(rollout, None, key=key)
    with pytest.raises(ValueError, match="odd"):
        advance.advance(rollout.id, context)
    assert Rollout.load(rollout.id).status == "rolled_back"
    assert {round_.key for round_ in RolloutRound.every(rollout.id) if round_.tally} == {"sound"}


@pytest.mark.usefixtures("odd")
@pytest.mark.parametrize("first", ["odd", "sound"])
def test_a_rollout_that_cannot_go_on_keeps_no_other_from_it(first: str, system: System, context: Context) -> None:
    other = "sound" if first == "odd" else "odd"
    rollouts = {key: begun(name) for name, key in (("a", first), ("b", other))}
    for key, rollout in rollouts.items():
        add_round(rollout, None, key=key)
    with pytest.raises(ValueError, match="odd"):
        advance.look(context)
    assert Rollout.load(rollouts["sound"].id).status == "rolled_back"
    assert system.rule_is_on("stillhouse-rollouts")
