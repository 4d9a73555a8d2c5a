"""A round is begun once, tallied once, and tallies add up."""

import pytest

from rollouts.round import Differences, RolloutRound, RoundRun, SideTally, Tally, round_id_of, total, unsummed

pytestmark = pytest.mark.usefixtures("system")


def begun(key: str = "completions/a", window: int = 1) -> RolloutRound:
    run = RoundRun(run_id="evalrun_1", side="stable", sampled=False)
    made = RolloutRound(
        id=round_id_of("rollout_1", key),
        rollout_id="rollout_1",
        key=key,
        window=window,
        stage=0,
        begun_at=10,
        runs=[run],
    )
    return made.begin()


TALLY = Tally(
    quality=Differences(worse=2, same=7, better=1),
    candidate=SideTally(asked=11, errors=1, failed=3, slow=1, timed=9),
    stable=SideTally(asked=11, failed=2, users=11),
    ungraded=1,
    spent_nanodollars=5,
    lost=["a", "b"],
)


def test_an_object_that_arrives_twice_is_one_round_of_the_window_in_which_it_was_begun():
    assert begun(window=1).window == 1
    assert begun(window=2).window == 1
    assert [round_.window for round_ in RolloutRound.every("rollout_1")] == [1]


def test_a_tally_is_written_once():
    round_ = begun()
    assert round_.record(TALLY)
    assert not round_.record(Tally(ungraded=9))
    stored = RolloutRound.find("rollout_1", round_.id)
    assert stored.tally == TALLY
    assert stored.tallied_at is not None


def test_tallies_add_up_and_keep_a_few_lost_pairs():
    begun("completions/a").record(TALLY)
    begun("completions/b").record(TALLY)
    begun("completions/c")
    summed = total(RolloutRound.every("rollout_1"))
    assert summed.quality == Differences(worse=4, same=14, better=2)
    assert (summed.candidate.asked, summed.candidate.errors, summed.stable.users) == (22, 2, 22)
    assert (summed.spent_nanodollars, summed.ungraded, summed.quality.pairs) == (10, 2, 20)
    many = TALLY.model_copy(update={"lost": [str(number) for number in range(15)]})
    assert len(many.plus(many).lost) == 20


def test_a_round_that_is_removed_is_gone():
    begun().remove()
    assert not list(RolloutRound.every("rollout_1"))
    assert not unsummed("rollout_1")
