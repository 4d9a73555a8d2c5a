"""What a rollout does next, for everything that may be known of it."""

import pytest

from rollouts.next_step import Known, due, known_of, waits_for
from rollouts.rollout import RolloutPause
from rollouts.round import RolloutRound
from rollouts.sums import summed
from tests.rollouts.build import AT, rollout, tally

HOUR = 3600


def known(*tallies, **fields):
    given = {
        "tallies": dict(enumerate(tallies, start=1)),
        "last_pairs_at": AT + HOUR if tallies else 0,
        "alias_version": 1,
        "now": AT + HOUR,
    }
    return Known(**{**given, **fields})


def paused(reason: str):
    return rollout(status="paused", pause=RolloutPause(reason=reason, since=AT, message="wait"))


GOOD, BAD = tally(100), tally(100, 40)


def test_it_advances_once_all_gates_hold_and_the_stage_has_lasted():
    assert due(rollout(), known(GOOD)).kind == "advanced"
    assert due(rollout(), known(GOOD, now=AT + HOUR - 1)) is None
    assert due(rollout(), known(tally(99))) is None
    assert due(rollout(), known(tally(100, 3))) is None
    assert due(rollout(stage=4), known(GOOD)).kind == "promoted"


def test_it_rolls_back_at_once_and_names_the_gate():
    step = due(rollout(), known(BAD, now=AT + 1))
    assert (step.kind, step.gate) == ("rolled_back", "quality")


@pytest.mark.parametrize("reason", ["no_data", "budget", "provider_away"])
def test_a_pause_does_not_keep_it_from_rolling_back(reason):
    assert due(paused(reason), known(BAD, last_pairs_at=AT)).kind == "rolled_back"


def test_where_a_person_has_taken_over_nothing_moves_by_itself():
    assert due(rollout(status="frozen"), known(BAD)) is None
    assert due(paused("alias_changed"), known(BAD)) is None
    for status in ("rolled_back", "promoted", "failed", "canceled"):
        assert due(rollout(status=status), known(BAD)) is None


def test_no_data_is_a_pause_and_never_a_pass():
    assert due(rollout(), known()).pause == "no_data"
    assert due(rollout(), known(now=AT + HOUR - 1)) is None
    assert due(rollout(), known(GOOD, last_pairs_at=AT + HOUR, now=AT + 2 * HOUR)).pause == "no_data"
    assert due(rollout(), known(provider_is_away=True)).pause == "provider_away"
    assert due(paused("no_data"), known(now=AT + 5 * HOUR)) is None


def test_a_pause_for_want_of_pairs_ends_with_the_next_ones_and_the_others_do_not():
    assert due(paused("no_data"), known(GOOD, last_pairs_at=AT + 1)).kind == "resumed"
    assert due(paused("provider_away"), known(GOOD, last_pairs_at=AT + 1)).kind == "resumed"
    assert due(paused("no_data"), known(GOOD, last_pairs_at=AT)) is None
    assert due(paused("budget"), known(GOOD)) is None


def test_a_spent_budget_pauses_it_though_all_gates_hold():
    assert due(rollout(), known(tally(100, usd=5.0))).pause == "budget"
    assert due(rollout(), known(tally(100, usd=4.99))).kind == "advanced"


def test_another_version_of_the_alias_pauses_it():
    assert due(rollout(), known(GOOD, alias_version=2)).pause == "alias_changed"
    assert due(rollout(), known(GOOD, alias_version=None)).pause == "alias_changed"
    assert due(rollout(), known(BAD, alias_version=2)).kind == "rolled_back"


def test_without_its_eval_or_a_model_it_fails():
    assert due(rollout(), known(GOOD, gone="The eval is gone.")).kind == "failed"


def test_after_five_hundred_pairs_of_a_stage_the_next_window_is_opened():
    assert due(rollout(), known(tally(500), now=AT + 1)).window
    assert due(rollout(), known(tally(500, 20), now=AT + HOUR)).window
    assert due(rollout(), known(tally(500))).kind == "advanced"
    assert due(rollout(), known(tally(499), now=AT + 1)) is None


def test_it_says_what_it_waits_for():
    assert waits_for(rollout(), known(tally(5), now=AT + HOUR - 61)) == (
        "It waits for the gates (quality: it has too few pairs; errors: it has too few pairs; malformed: it has too "
        "few pairs) and 2 more minutes of this stage."
    )
    assert waits_for(paused("budget"), known()) == "wait"
    assert "resume" in waits_for(rollout(status="frozen"), known())
    assert waits_for(rollout(status="promoted"), known()) == ""


def test_rounds_are_summed_by_window_and_those_without_graded_pairs_are_no_data():
    fields = {"rollout_id": "rollout_1", "key": "a", "stage": 0, "begun_at": AT}
    rounds = [
        RolloutRound(id="1", window=1, tally=tally(10), tallied_at=50, **fields),
        RolloutRound(id="2", window=1, tally=tally(5), tallied_at=40, **fields),
        RolloutRound(id="3", window=2, tally=tally(0, ungraded=9), tallied_at=90, **fields),
        RolloutRound(id="4", window=2, **fields),
    ]
    tallies, last = known_of(summed(rounds))
    assert {window: counted.quality.pairs for window, counted in tallies.items()} == {1: 15, 2: 0}
    assert last == 50
