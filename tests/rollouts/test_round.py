"""A round is begun once, tallied once, and tallies add up."""

from itertools import islice

import pytest

from foundation import table
from foundation.ids import now
from rollouts.round import Differences, RolloutRound, RoundRun, SideTally, Tally, new_round_id, total, unsummed

pytestmark = pytest.mark.usefixtures("system")


def begun(key: str = "completions/a", window: int = 1) -> RolloutRound:
    run = RoundRun(run_id="evalrun_1", side="stable", sampled=False)
    made = RolloutRound(
        id=f"round_{key}",
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


def test_a_round_that_is_written_twice_stays_in_the_window_in_which_it_was_begun():
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


def test_a_round_hangs_once_it_is_open_for_long():
    round_ = begun()
    assert round_.hangs
    assert not round_.model_copy(update={"begun_at": now()}).hangs
    assert not round_.model_copy(update={"tally": TALLY}).hangs


def test_rounds_are_read_from_the_newest_on_a_few_at_once(monkeypatch):
    ids = sorted(new_round_id() for _ in range(50))
    for round_id in ids:
        begun().model_copy(update={"id": round_id}).begin()
    begun().remove()
    newest = ids[::-1]
    assert [round_.id for round_ in RolloutRound.newest_first("rollout_1")] == newest
    assert [round_.id for round_ in RolloutRound.newest_first("rollout_1", upto=newest[30])] == newest[30:]
    assert not list(RolloutRound.newest_first("rollout_1", upto="round_none"))
    read, query = [], table.query
    monkeypatch.setattr(table, "query", lambda *given, **named: _counted(query(*given, **named), read))
    assert [round_.id for round_ in islice(RolloutRound.newest_first("rollout_1"), 3)] == newest[:3]
    assert len(read) == 20


def _counted(rows, read):
    for row in rows:
        read.append(row)
        yield row
