"""Captured calls of an alias under rollout become pairs, tallies and steps, through all queues, whatever fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from aliases import changing
from aliases.changing import Said
from aliases.known import known_aliases
from evals.run import Run
from foundation import ids
from providers.spending import spending
from rollouts.moving import step_of
from rollouts.rollout import Rollout
from rollouts.round import RolloutRound, total, unsummed
from rollouts.sums import counted
from tests.aliases.build import routing
from tests.cloud import aws_client
from tests.examples import of_the_soak
from tests.flow import loop
from tests.flow.faults import Hook, injected
from tests.flow.snapshot import put_back, taken
from tests.flow.system import CONSUMERS, System
from tests.rolling_out.calls import CANDIDATE, NAME, STABLE, begun, call, push
from tests.rollouts.build import add_round, tally

LOOK = {"type": "LookAtRollouts"}
A_MINUTE_MS = 60_000
AT_MS = 1_795_003_200_000
"""In the middle of a month: what is spent is told by months."""
MOST_CALLS = 120
# A beginning, a row that is written, a message that is sent, a tally; all others in the soak.
SOME = (4, 21, 38, 52)
STRUCK = [*SOME, *of_the_soak(*(n for n in range(1, MOST_CALLS) if n not in SOME))]
CALLS = [*(call(number) for number in range(6)), call(7, CANDIDATE, answer="no idea"), call(8, CANDIDATE)]


@pytest.fixture(autouse=True)
def fold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each round enters the sums of its rollout at once."""
    monkeypatch.setattr("rollouts.sums.ENOUGH", 1)


class Passed:
    """How many minutes the clock has told of."""

    minutes = 0


@pytest.fixture(autouse=True)
def minutes_pass() -> Iterator[None]:
    """Let the time be that of `Passed`; a test that undoes its own patches does not undo this."""
    now_ms, began_at = ids.now_ms, ids.now_ms()
    Passed.minutes = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ids, "now_ms", lambda: AT_MS + now_ms() - began_at + Passed.minutes * A_MINUTE_MS)
        yield


@pytest.fixture(autouse=True)
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What lands while a round is under way waits."""
    monkeypatch.setattr("rolling_out.gather.SIDE_BY_SIDE", 1)


@pytest.fixture(autouse=True)
def prices(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dollar for a million tokens, whoever answers."""
    price = {"input": "1", "output": "1"}
    monkeypatch.setattr("providers.prices._price", lambda _: price)


def look(system: System) -> None:
    Passed.minutes += 1
    system.send("ROLLOUT", LOOK)
    system.settle()


def push_to_nobody(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that land, while what would have the runs of their round planned is lost."""
    with monkeypatch.context() as lost:
        lost.setattr("rolling_out.begin.bus.send_all", lambda _: None)
        push(system, *CALLS)


def test_users_answers_and_the_other_model_s_become_one_tally(system: System) -> None:
    rollout = begun()
    push(system, *CALLS)
    [round_] = RolloutRound.every(rollout.id)
    tally = round_.tally
    assert tally is not None
    assert (tally.stable.users, tally.candidate.users, tally.candidate.asked) == (6, 2, 8)
    # The lab's judge refuses what is no question to a judge: two errors of the stable model, and two pairs less.
    assert (tally.stable.asked, tally.stable.errors, tally.ungraded) == (8, 2, 2)
    assert (tally.quality.pairs, tally.quality.worse, tally.quality.better) == (6, len(tally.lost), 0)
    assert tally.candidate.failed == tally.quality.worse > 0 == tally.stable.failed
    assert (tally.malformed.same, tally.candidate.timed, tally.priced) == (6, 8, 6)
    # The second answers alone are paid: what users got is not.
    asked = [Run.load(part.run_id) for part in round_.runs if part.sampled]
    tokens = sum(used.prompt_tokens + used.completion_tokens for run in asked for used in run.per_model_usage)
    assert tally.spent_nanodollars == tokens * 1000
    assert spending().rollouts_usd == pytest.approx(tally.spent_nanodollars / 1e9)
    assert spending().evals_usd == 0
    assert not any(notice["type"].startswith("eval.run") for notice in system.notifications())


def test_pairs_are_shown_one_by_one_the_newest_first(system: System) -> None:
    rollout = begun()
    path = f"/v1/rollouts/{rollout.id}/pairs"
    push(system, *CALLS[:3])
    push(system, *CALLS[3:7])
    every = system.ok("GET", path)["data"]
    rounds = {round_.id: round_ for round_ in RolloutRound.every(rollout.id)}
    assert [pair["id"] for pair in sorted(every, key=lambda pair: pair["id"])] == [
        f"chatcmpl-live-{number}" for number in (0, 1, 2, 3, 4, 5, 7)
    ]
    newest = max(rounds.values(), key=lambda round_: (round_.begun_at, round_.id))
    assert every[0]["round_id"] == newest.id
    for pair in every:
        assert rounds[pair["round_id"]].begun_at == pair["at"]
        number = int(pair["id"].rpartition("-")[2])
        got = pair[pair["user_got"]]["item"]["sample"]["output"][0]["content"]
        assert got == CALLS[min(number, 6)]["response"]["choices"][0]["message"]["content"]
        assert {name: pair[name]["model"] for name in ("stable", "candidate")} == {
            "stable": STABLE,
            "candidate": CANDIDATE,
        }
    assert [pair["user_got"] for pair in every if pair["id"].endswith("-7")] == ["candidate"]
    lost = total(rounds.values()).lost
    first = system.ok("GET", f"{path}?lost=true&limit=2")
    rest = system.ok("GET", f"{path}?lost=true&after={first['last_id']}")
    assert (first["has_more"], rest["has_more"]) == (True, False)
    shown = [*first["data"], *rest["data"]]
    assert sorted(pair["id"] for pair in shown) == sorted(lost)
    assert all(pair["lost"] and pair["stable"]["passed"] and not pair["candidate"]["passed"] for pair in shown)
    assert system.ok("GET", f"{path}?after=chatcmpl-unknown")["data"] == []
    assert system.call("GET", f"{path}?lost=maybe")[0] == 400


def test_what_the_gateway_captures_is_paired_streams_and_responses_too(system: System) -> None:
    rollout = begun(stable="lab-small", candidate="lab-judge")
    known_aliases.forget()
    asked = {"model": NAME, "store": True, "metadata": {"label": "billing"}}
    system.ok("POST", "/v1/chat/completions", {**asked, "messages": loop.messages(0)})
    system.ok("POST", "/v1/chat/completions", {**asked, "messages": loop.messages(3), "stream": True})
    system.ok("POST", "/v1/responses", {**asked, "input": loop.messages(6)[1:]})
    system.settle()
    tally = total(RolloutRound.every(rollout.id))
    assert (tally.stable.users, tally.stable.asked, tally.candidate.asked) == (3, 3, 3)
    # What users got was asked for as a chat and as a response alike.
    assert tally.candidate.errors == tally.ungraded == 3


def test_a_run_of_an_open_rollout_is_not_deleted_and_is_not_among_what_is_open(system: System) -> None:
    rollout = begun()
    system.ok("POST", "/v1/captures", [call(0)])
    system.announce()
    for name in ("RECORD", "PLAN"):
        system.deliver(name)
    system.announce()
    system.deliver("ROLLOUT")
    [round_] = RolloutRound.every(rollout.id)
    run = Run.load(round_.runs[0].run_id)
    listed = {work["kind"]: work["id"] for work in system.ok("GET", "/v1/health")["open"]}
    assert listed == {"rollout": rollout.id}
    status, refusal = system.call("DELETE", f"/v1/evals/{run.eval_id}/runs/{run.id}")
    assert (status, refusal["error"]["code"]) == (409, "run_in_use")


def test_the_clock_does_again_what_was_lost_and_stops_where_nothing_is_open(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollout = begun()
    push_to_nobody(system, monkeypatch)
    look(system)
    assert [round_.tally for round_ in RolloutRound.every(rollout.id)] == [None]
    for minutes, pairs in ((9, 0), (11, 0), (20, 6)):  # Every ten minutes, and not each one of them.
        Passed.minutes = minutes - 1
        look(system)
        assert total(RolloutRound.every(rollout.id)).quality.pairs == pairs
    assert system.rule_is_on("stillhouse-captured")
    Rollout.load(rollout.id).change({"status": "frozen"})
    look(system)
    assert system.rule_is_on("stillhouse-rollouts")
    Rollout.load(rollout.id).change({"status": "canceled"})
    look(system)
    assert not system.rule_is_on("stillhouse-captured")
    assert not system.rule_is_on("stillhouse-rollouts")


def test_the_open_runs_of_a_rollout_that_has_ended_are_canceled(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollout = begun()
    push_to_nobody(system, monkeypatch)
    Rollout.load(rollout.id).change({"status": "rolled_back"})
    system.send("ROLLOUT", {"type": "AdvanceRollout", "rollout_id": rollout.id})
    system.settle()
    [round_] = RolloutRound.every(rollout.id)
    assert {Run.load(part.run_id).status for part in round_.runs} == {"canceled"}
    assert round_.tally
    assert (round_.tally.quality.pairs, round_.tally.spent_nanodollars) == (0, 0)


@pytest.mark.parametrize("message", [LOOK, {"type": "AdvanceRollout", "rollout_id": f"rollout_{NAME.encode().hex()}"}])
def test_a_way_back_that_broke_off_is_gone_to_its_end(system: System, message: dict[str, Any]) -> None:
    rollout = begun(stages=[100])
    changing.put(NAME, routing((CANDIDATE, 1)), Said("rollout"))
    step = step_of(rollout, "rolled_back", "The gate 'quality' is exceeded.")
    # Whoever decided it was killed before the alias was changed.
    rollout.change({"status": "rolled_back", "move": step})
    system.send("ROLLOUT", message)
    system.settle()
    [stable] = system.ok("GET", f"/v1/aliases/{NAME}")["targets"]
    ended = Rollout.load(rollout.id)
    assert (stable["model"], ended.move, ended.steps[-1].kind) == (STABLE, None, "rolled_back")
    look(system)
    assert not system.rule_is_on("stillhouse-rollouts")


def test_who_rolls_back_by_itself_cancels_what_nobody_waits_for(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollout = begun()
    push_to_nobody(system, monkeypatch)
    add_round(rollout, tally(100, 60), key="bad")
    look(system)
    assert Rollout.load(rollout.id).status == "rolled_back"
    [runs] = [round_.runs for round_ in RolloutRound.every(rollout.id) if round_.runs]
    assert {Run.load(part.run_id).status for part in runs} == {"canceled"}


def test_a_message_that_asks_for_it_switches_the_rules_on(system: System) -> None:
    rollout = begun()
    for rule in ("stillhouse-captured", "stillhouse-rollouts"):
        aws_client("events").disable_rule(Name=rule)
    system.send("ROLLOUT", {"type": "AdvanceRollout", "rollout_id": rollout.id, "resend": True})
    system.settle()
    assert system.rule_is_on("stillhouse-captured")
    assert system.rule_is_on("stillhouse-rollouts")


def end_state(system: System) -> dict[str, Any]:
    """Let three objects land, of which two wait for the first, let half an hour pass, and say what came of it."""
    rollout = begun()
    for part in (CALLS[:4], CALLS[4:6], CALLS[6:]):
        system.ok("POST", "/v1/captures", part)
        system.deliver("RECORD")
        system.announce()
    system.settle()
    for _ in range(3):
        Passed.minutes += 9  # What was lost on the way is done again after ten.
        look(system)
    ended = Rollout.load(rollout.id)
    rounds = list(RolloutRound.every(rollout.id))
    tally, found = total(rounds), counted(rollout.id)
    # Of a round that was never written an entry may be there, for an hour.
    left = RolloutRound.those(rollout.id, unsummed(rollout.id))
    assert found.tally.model_copy(update={"lost": tally.lost}) == tally
    alias = system.ok("GET", f"/v1/aliases/{NAME}")
    return {
        "tally": {**tally.model_dump(), "lost": sorted(tally.lost)},
        "rounds": (len(rounds), sum(sum_.rounds for sum_ in found.sums), len(left)),
        "status": (ended.status, ended.stage, ended.move, [step.kind for step in ended.steps]),
        "alias": (alias["version"], [(target["model"], target["weight"]) for target in alias["targets"]]),
        "told": sorted(notice["type"] for notice in system.notifications()),
        "spent": spending().rollouts_usd,
        "dead": {name: len(system.dead(name)) for name in system.queues},
    }


class OfRollouts(Hook):
    """Strikes the messages of rollouts alone: the others are struck in `test_faults.py`."""

    def around(self, message: str, call: Callable[[], Any]) -> Any:
        is_own = getattr(call, "func", None) is CONSUMERS["ROLLOUT"]
        return super().around(message, call) if is_own else call()


class Calm:
    """What the undisturbed flow came to."""

    end: dict[str, Any] | None = None
    calls = 0
    """The most that a message has made."""


@pytest.fixture
def calm(system: System, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    if Calm.end is None:
        empty = taken(system)
        counting = OfRollouts(0, "never")
        system.around = counting.around
        with injected(counting, monkeypatch):
            Calm.end = end_state(system)
        put_back(system, empty)
        system.announced.clear()
        assert Calm.end["rounds"] == (2, 2, 0)
        assert Calm.end["tally"]["quality"]["worse"] > 0
        Calm.calls = max(counting.counts.values())
        assert Calm.calls < MOST_CALLS
    return Calm.end


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("n", STRUCK)
def test_a_failed_call_changes_nothing_in_the_end(
    n: int, when: str, calm: dict[str, Any], system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = OfRollouts(n, when)
    system.around = hook.around
    with injected(hook, monkeypatch):
        assert end_state(system) == calm
    assert hook.struck or n > Calm.calls


def test_every_message_twice_changes_nothing(calm: dict[str, Any], system: System) -> None:
    system.doubled = True
    assert end_state(system) == calm
