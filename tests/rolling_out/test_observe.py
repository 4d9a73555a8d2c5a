"""Which calls of a captured object a round takes, whatever comes twice, late or in another order."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from completions import frames, index
from evals.own_rows import rows_key
from evals.run import Run
from foundation import blobs, lease
from foundation.errors import AtWork
from rolling_out import gather, observe
from rolling_out.captured import MOST_IN_A_ROUND, calls_of
from rollouts.rollout import Rollout
from rollouts.round import RolloutRound, Tally
from rollouts.taken import is_in_share, round_with
from tests.conftest import Context
from tests.permissions import acting
from tests.rolling_out.calls import CANDIDATE, CREATED, NAME, OTHER, STABLE, begun, call, landed, names, rows

pytestmark = pytest.mark.usefixtures("system")


def test_a_call_is_graded_as_users_got_it_and_the_other_model_is_asked(context: Context) -> None:
    rollout = begun(share=1.0)
    observe.observe(landed(call(0), call(1), call(2, CANDIDATE)), context)
    assert rows(rollout) == {
        ("stable", False): names(0, 1),
        ("candidate", True): names(0, 1),
        ("candidate", False): names(2),
        ("stable", True): names(2),
    }
    [round_] = RolloutRound.every(rollout.id)
    assert (round_.window, round_.stage, round_.tally) == (1, 0, None)
    for part in round_.runs:
        run = Run.load(part.run_id)
        model = CANDIDATE if part.side == "candidate" else STABLE
        assert (run.model, run.rollout_id, run.answers) == (model, rollout.id, "sampled" if part.sampled else "stored")
        # What was paid for in another round is asked anew.
        assert bool(getattr(run.data_source, "fresh", None)) == part.sampled


@pytest.mark.parametrize(
    "other",
    [
        call(1, alias=None),
        call(1, alias={"name": "another", "version": 1, "target": STABLE}),
        call(1, OTHER),
        call(1, metadata={"topic": "legal"}),
        call(1, response={**call(1)["response"], "created": CREATED - 3600}),
    ],
    ids=["no alias", "another alias", "a third model", "a slice of its own", "before it began"],
)
def test_a_call_that_the_rollout_does_not_speak_of_is_left_out(other: dict[str, object], context: Context) -> None:
    rollout = begun()
    observe.observe(landed(call(0), {name: value for name, value in other.items() if value is not None}), context)
    assert rows(rollout) == {("stable", False): names(0), ("candidate", True): names(0)}


def test_a_call_that_a_provider_s_slow_clock_dates_before_the_beginning_is_taken(context: Context) -> None:
    rollout = begun()
    observe.observe(landed(call(0, response={**call(0)["response"], "created": CREATED - 200})), context)
    assert rows(rollout)["stable", False] == names(0)


def test_a_call_that_its_model_failed_is_an_error_and_no_pair(context: Context) -> None:
    failed = call(1, CANDIDATE, response={"error": {"message": "away", "type": "server_error"}, "created": CREATED})
    by_fallback = call(2, STABLE, alias={"name": NAME, "version": 1, "target": CANDIDATE})
    rollout = begun()
    observe.observe(landed(failed, by_fallback), context)
    # Whose fault it is that nobody answered the first one is known once the other model was asked.
    assert [(name, len(ids_)) for name, ids_ in rows(rollout).items()] == [
        (("candidate", False), 2),
        (("stable", True), 1),
    ]
    [part] = [part for round_ in RolloutRound.every(rollout.id) for part in round_.runs if not part.sampled]
    lines = [orjson.loads(line) for line in blobs.get(rows_key(part.run_id)).splitlines()]
    assert len(lines) == 2
    assert all(line["sample"]["error"]["message"] for line in lines)


def test_what_was_deleted_is_left_out_and_an_object_that_is_gone_makes_no_round(context: Context) -> None:
    rollout = begun()
    key = landed(call(0), call(1))
    index.delete("chatcmpl-live-1")
    observe.observe(key, context)
    with acting("RolloutFunction"):
        observe.observe(frames.key_of("2026/11/29/gone"), context)
    assert rows(rollout) == {("stable", False): names(0), ("candidate", True): names(0)}


def test_a_part_of_the_calls_is_taken_by_lot(context: Context) -> None:
    rollout = begun(share=0.5)
    observe.observe(landed(*(call(number) for number in range(100))), context)
    taken = rows(rollout)["stable", False]
    assert 30 < len(taken) < 70
    assert [name for name in names(*range(100)) if is_in_share(rollout, name)] == taken


def test_of_a_large_object_so_many_calls_are_taken_as_a_round_may_have(context: Context) -> None:
    rollout = begun()
    observe.observe(landed(*(call(number) for number in range(MOST_IN_A_ROUND + 50))), context)
    assert len(rows(rollout)["stable", False]) == MOST_IN_A_ROUND


@pytest.mark.parametrize("status", ["frozen", "rolled_back"])
def test_nothing_is_graded_of_a_rollout_that_is_frozen_or_over(status: str, context: Context) -> None:
    rollout = begun()
    rollout.change({"status": status})
    observe.observe(landed(call(0)), context)
    assert not list(RolloutRound.every(rollout.id))


def test_no_round_begins_once_the_budget_is_spent(context: Context) -> None:
    rollout = begun(max_usd=1.0)
    spent = RolloutRound(id="round_1", rollout_id=rollout.id, key="a", window=1, stage=0, begun_at=1).begin()
    observe.observe(landed(call(0)), context)
    assert len(list(RolloutRound.every(rollout.id))) == 2
    spent.record(Tally(spent_nanodollars=1_000_000_000))
    observe.observe(landed(call(1)), context)
    assert len(list(RolloutRound.every(rollout.id))) == 2
    assert round_with(rollout.id, "chatcmpl-live-1") is None


def test_none_begins_of_a_rollout_that_was_frozen_just_now(context: Context) -> None:
    rollout, key = begun(), landed(call(0))
    Rollout.load(rollout.id).change({"status": "frozen"})
    gather.arrive(rollout, key, calls_of([key], {NAME})[key], context)
    assert not list(RolloutRound.every(rollout.id))


def test_a_round_waits_for_another_one_and_in_the_end_its_message_comes_again(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollout, key = begun(), landed(call(0))
    monkeypatch.setattr(gather, "_AGAIN_S", 0.01)
    with lease.held(rollout.id, "ROUNDS", context), pytest.raises(AtWork):
        observe.observe(key, Context(left_ms=200))
    assert not list(RolloutRound.every(rollout.id))
    observe.observe(key, context)
    assert len(list(RolloutRound.every(rollout.id))) == 1


def test_an_object_of_which_nothing_is_in_the_share_waits_for_nobody(context: Context) -> None:
    rollout = begun(share=0.01)
    others = [number for number in range(20) if not is_in_share(rollout, f"chatcmpl-live-{number}")]
    with lease.held(rollout.id, "ROUNDS", context):
        observe.observe(landed(*(call(number) for number in others), call(50, OTHER)), Context(left_ms=200))
    assert not list(RolloutRound.every(rollout.id))


def test_an_error_of_one_rollout_stops_no_other(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    odd, other = begun("a"), begun("b")
    arrive = observe.arrive

    def arrives(rollout: Rollout, *rest: Any) -> None:
        if rollout.id == odd.id:
            raise ValueError("odd")
        arrive(rollout, *rest)

    monkeypatch.setattr(observe, "arrive", arrives)
    calls = (call(n, alias={"name": name, "version": 1, "target": STABLE}) for n, name in enumerate("ab"))
    with pytest.raises(ValueError, match="odd"):
        observe.observe(landed(*calls), context)
    assert rows(other)["stable", False] == names(1)
