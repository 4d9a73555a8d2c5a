"""A rollout's steps: each taken once, whatever breaks off, comes twice or late; people's changes are respected."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

import pytest

from aliases import changing, history
from aliases.alias import Alias
from aliases.changing import Said
from aliases.rolling_out import OPEN_ROLLOUTS
from evals.data_sources import CompletionsSource, FileId
from evals.run import Run
from foundation import table
from foundation.errors import Conflict
from foundation.later import Pause
from notifications.alerts import Alert
from providers.model_version import ModelVersion
from rollouts import advancing, verbs
from rollouts.advancing import advance
from rollouts.rollout import MOST_STAGES, MOST_WINDOWS, Rollout
from rollouts.round import RolloutRound, RoundRun
from rollouts.verbs import Asked
from tests.aliases.build import routing
from tests.flow.faults import Hook, injected
from tests.flow.system import System
from tests.rollouts.build import AT, CANDIDATE, NAME, SLICE, STABLE, add_round, alias, stored, tally, weights

HOUR = 3600


class Clock:
    """The time that rollouts see."""

    def __init__(self) -> None:
        self.at = AT

    def pass_(self, seconds: int = HOUR) -> None:
        self.at += seconds


@pytest.fixture
def clock(system: System, monkeypatch: pytest.MonkeyPatch) -> Clock:
    assert system
    made = Clock()
    for module in ("rollouts.advancing", "rollouts.moving", "rollouts.round"):
        monkeypatch.setattr(f"{module}.now", lambda: made.at)
    return made


def told() -> Counter[str]:
    """How many alerts of each type there are."""
    return Counter(alert.type for alert in Alert.every())


def good(rollout: Rollout, clock: Clock) -> None:
    """Pairs in which all gates hold, and the time that a stage lasts."""
    clock.pass_()
    add_round(rollout, tally(100, 1, 1), key=f"at-{clock.at}")


def went_to(stage: int, clock: Clock) -> Rollout:
    rollout = advance(stored().id)
    while rollout.stage < stage:
        good(rollout, clock)
        rollout = advance(rollout.id)
    return rollout


def test_it_goes_from_the_shadow_to_all_calls_and_is_promoted(clock: Clock) -> None:
    rollout = advance(stored().id)
    seen = [weights()]
    while rollout.is_open:
        good(rollout, clock)
        rollout = advance(rollout.id)
        seen.append(weights())
    assert seen == [
        {STABLE: 1},
        {STABLE: 99, CANDIDATE: 1},
        {STABLE: 95, CANDIDATE: 5},
        {STABLE: 75, CANDIDATE: 25},
        {CANDIDATE: 100},
        {CANDIDATE: 100},
    ]
    assert rollout.status == "promoted"
    assert (alias().fallback, alias().version, rollout.alias_version) == (STABLE, 5, 5)
    assert [(version.by, version.salt) for version in history.versions(alias())][:4] == [("rollout", alias().salt)] * 4
    assert [target.model for target in alias().targets if target.when] == ["lab-large"]
    assert [step.kind for step in rollout.steps] == ["started", *["advanced"] * 4, "promoted"]
    assert [step.alias_version for step in rollout.steps] == [None, 2, 3, 4, 5, None]
    assert told() == {"rollout.started": 1, "rollout.advanced": 4, "rollout.promoted": 1}
    assert Rollout.open_of(NAME) is None
    assert table.get(OPEN_ROLLOUTS, NAME)["rollout_id"] == "", "whoever looks for open ones reads it no more"


def test_a_breach_gives_the_calls_back_and_says_why_with_the_pairs(clock: Clock) -> None:
    rollout = went_to(3, clock)
    add_round(rollout, tally(100, 40), key="bad")
    ended = advance(rollout.id)
    assert (ended.status, weights(), alias().fallback) == ("rolled_back", {STABLE: 1}, None)
    assert ended.ended.gate == "quality"
    assert ended.ended.figures == [
        "Of 100 pairs the candidate failed 40, the stable model 0: +40.0 points, where +2.0 points are allowed."
    ]
    assert len(ended.ended.pairs) == 20
    alert = next(alert for alert in Alert.every() if alert.type == "rollout.rolled_back")
    assert "by the gate 'quality'" in alert.sentence
    assert any("+40.0 points" in line for line in alert.lines)
    assert any("chatcmpl-0" in line for line in alert.lines)
    assert alert.command == f"stillhouse rollout show {rollout.id}"
    assert list(Rollout.open_ones()) == []


def test_of_many_lost_pairs_the_newest_are_named_and_none_keeps_it_from_going_back(clock: Clock) -> None:
    rollout = advance(stored().id)
    for name in ("old", "new"):
        lost = [f"{name}-{number}" for number in range(20)]
        add_round(Rollout.load(rollout.id), tally(500, 70).model_copy(update={"lost": lost}), key=name)
        rollout.change({"windows": rollout.windows * 2})
    clock.pass_(1)
    ended = advance(rollout.id)
    assert (ended.status, ended.ended.pairs) == ("rolled_back", [f"new-{number}" for number in range(20)])


def test_a_change_by_hand_meanwhile_neither_keeps_it_from_going_back_nor_is_lost(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollout = went_to(2, clock)
    put, others = changing.put, [("lab-large", 1, {"topic": "new"})]

    def overtaken(*arguments: Any) -> Any:
        if others:
            put(NAME, routing((STABLE, 95), (CANDIDATE, 5), others.pop()), Said("ada"))
        return put(*arguments)

    add_round(rollout, tally(100, 60), key="bad")
    monkeypatch.setattr(changing, "put", overtaken)
    ended = advance(rollout.id)
    assert (ended.status, ended.move, weights()) == ("rolled_back", None, {STABLE: 1})
    assert [target.when for target in alias().targets if target.when] == [{"topic": "new"}]
    assert alias().version == ended.steps[-1].alias_version


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("ends", [False, True])
def test_any_call_may_fail_and_each_step_is_taken_once(
    ends: bool, when: str, clock: Clock, monkeypatch: pytest.MonkeyPatch, soak: bool
) -> None:
    rollout = went_to(2, clock)
    row = table.get(Rollout.KIND, rollout.id)
    clock.pass_()
    for n in range(1, 60, 1 if soak else 5):
        rollout = _again(row, n)
        before = alias().version
        add_round(rollout, tally(100, 40 if ends else 1), key=f"round-{n}")
        hook = Hook(n, when)
        with injected(hook, monkeypatch):
            hook.around("rollout", partial(_once, rollout.id))
        struck = bool(hook.struck)
        for _ in range(2):
            moved = advance(rollout.id)
        kind, wanted = ("rolled_back", {STABLE: 1}) if ends else ("advanced", {STABLE: 75, CANDIDATE: 25})
        assert (weights(), alias().version) == (wanted, before + 1), n
        assert [step.kind for step in moved.steps][-1] == kind, n
        assert moved.steps[-1].alias_version == alias().version
        assert len([step for step in moved.steps if step.kind == kind]) == (1 if ends else 3), n
        alerts = [alert for alert in Alert.every() if alert.object_id == moved.id and alert.type == f"rollout.{kind}"]
        assert len(alerts) == 1, n
        assert (Rollout.open_of(NAME) is None) == ends
        if not struck:
            break
    else:
        raise AssertionError("a step never comes to its end")


def _once(rollout_id: str) -> None:
    advance(rollout_id)


def _again(row: dict[str, Any], n: int) -> Rollout:
    """Another rollout in the same stage of the same alias."""
    changing.put(NAME, routing((STABLE, 95), (CANDIDATE, 5), SLICE), Said("first"))
    made = Rollout.from_row({**row, "id": f"rollout_{n + 1}"})
    made.alias_version = alias().version
    made.create()
    table.put({"pk": OPEN_ROLLOUTS, "sk": NAME, "rollout_id": made.id, "at": AT})
    return made


def test_two_at_once_take_a_step_once(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    rollout = went_to(1, clock)
    good(rollout, clock)
    due, others = advancing.due, [rollout.id]

    def overtaken(*arguments: Any) -> Any:
        found = due(*arguments)
        if others:
            advance(others.pop())
        return found

    monkeypatch.setattr(advancing, "due", overtaken)
    moved = advance(rollout.id)
    assert (moved.stage, weights(), alias().version) == (2, {STABLE: 95, CANDIDATE: 5}, 3)


def test_a_change_by_hand_pauses_it(clock: Clock) -> None:
    rollout = went_to(2, clock)
    changing.put(NAME, routing((STABLE, 50), (CANDIDATE, 50), SLICE), Said("ada"))
    good(rollout, clock)
    paused = advance(rollout.id)
    assert (paused.status, paused.pause.reason, paused.stage) == ("paused", "alias_changed", 2)
    assert weights() == {STABLE: 50, CANDIDATE: 50}
    assert told()["rollout.paused"] == 1


def test_a_change_by_hand_between_the_decision_and_the_write_pauses_it(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollout = went_to(2, clock)
    good(rollout, clock)
    known = advancing.what_is_known

    def late(of: Rollout) -> Any:
        found = known(of)
        if of.status == "running":
            changing.put(NAME, routing((STABLE, 50), (CANDIDATE, 50)), Said("ada"))
        return found

    monkeypatch.setattr(advancing, "what_is_known", late)
    paused = advance(rollout.id)
    assert (paused.status, paused.pause.reason, paused.stage) == ("paused", "alias_changed", 2)
    assert paused.windows[-1].stage == 2
    assert weights() == {STABLE: 50, CANDIDATE: 50}
    assert [step.kind for step in paused.steps][-1] == "paused"
    assert told()["rollout.advanced"] == 2


def test_a_deleted_alias_pauses_it_and_a_rollback_leaves_it_deleted(clock: Clock) -> None:
    rollout = went_to(2, clock)
    changing.delete(NAME, Said("ada"))
    assert advance(rollout.id).pause.reason == "alias_changed"
    back = verbs.roll_back(rollout.id, Asked("ada"))
    assert (back.status, back.move, back.steps[-1].alias_version) == ("rolled_back", None, None)
    assert Alias.find(NAME) is None


def test_an_alias_that_somebody_has_filled_up_pauses_it_and_is_taken_back(clock: Clock) -> None:
    """With more targets than an alias may have, every later message would fail, and a rollback, too."""
    rollout = went_to(0, clock)
    full = [("lab-large", 1, {"topic": str(number)}) for number in range(19)]
    changing.put(NAME, routing((STABLE, 1), *full), Said("ada"))
    rollout.change({"alias_version": alias().version})  # It was resumed before an alias was looked at for that.
    good(rollout, clock)
    paused = advance(rollout.id)
    assert (paused.pause.reason, paused.stage, weights()) == ("alias_changed", 0, {STABLE: 1})
    with pytest.raises(Conflict, match="no place"):
        verbs.resume(rollout.id, Asked("ada"))
    assert verbs.roll_back(rollout.id, Asked("ada")).move is None


def test_a_pause_for_no_data_is_told_and_ends_with_the_next_pairs(clock: Clock) -> None:
    rollout = advance(stored().id)
    clock.pass_()
    assert advance(rollout.id).pause.reason == "no_data"
    for _ in range(3):
        clock.pass_()
        assert advance(rollout.id).status == "paused"
    assert told()["rollout.paused"] == 1
    clock.pass_(1)
    add_round(rollout, tally(10))
    moved = advance(rollout.id)
    assert (moved.status, moved.pause, len(moved.windows)) == ("running", None, 1)


@pytest.mark.parametrize(("status", "reason"), [("in_progress", "provider_away"), ("canceled", "no_data")])
def test_a_pause_says_whether_a_provider_is_away(clock: Clock, status: str, reason: str) -> None:
    rollout = advance(stored().id)
    source = CompletionsSource(type="completions", source=FileId(type="file_id", id="file-1"))
    away = Pause(reason="It does not answer.", since=AT)
    run = Run(id="evalrun_1", created_at=AT, eval_id="eval_online", name="r", data_source=source, paused=away)
    run.status = status
    run.create()
    runs = [RoundRun(run_id=run.id, side="candidate", sampled=True)]
    fields = {"rollout_id": rollout.id, "key": "a", "window": 1, "stage": 0, "begun_at": AT}
    RolloutRound(id="round_1", runs=runs, **fields).begin()
    clock.pass_()
    assert advance(rollout.id).pause.reason == reason


@pytest.mark.usefixtures("clock")
def test_a_window_is_opened_without_a_step() -> None:
    rollout = advance(stored().id)
    add_round(rollout, tally(500))
    moved = advance(rollout.id)
    assert (moved.stage, moved.window, len(moved.steps)) == (0, 2, 1)
    assert moved.windows[1].alpha == pytest.approx(moved.windows[0].alpha / 3)


def test_a_stage_has_a_window_of_its_own_however_many_there_were_before(clock: Clock) -> None:
    """Else the pairs of the stage before would let it pass, without one that was asked for in it."""
    rollout = advance(stored(min_minutes=0).id)
    full = [rollout.windows[0]] * (MOST_WINDOWS - MOST_STAGES)
    rollout.change({"windows": full})
    assert advance(rollout.id).window == len(full)
    add_round(Rollout.load(rollout.id), tally(600, 18), key="doubtful")
    assert advance(rollout.id).window == len(full), "none is left for the stage"
    clock.pass_(1)
    verbs.freeze(rollout.id, Asked("ada"))
    assert verbs.resume(rollout.id, Asked("ada")).window == len(full)
    add_round(Rollout.load(rollout.id), tally(600), key="good")
    clock.pass_(1)
    moved = advance(rollout.id)
    assert (moved.stage, moved.window, moved.windows[-1].stage) == (1, len(full) + 1, 1)


def test_it_fails_without_its_eval_and_gives_the_calls_back(clock: Clock) -> None:
    rollout = went_to(2, clock)
    table.delete("EVAL", "eval_online")
    failed = advance(rollout.id)
    assert (failed.status, weights()) == ("failed", {STABLE: 1})
    assert "eval_online" in failed.ended.why


def test_it_fails_once_its_candidate_is_retired_and_gives_the_calls_back(clock: Clock) -> None:
    rollout = went_to(2, clock)
    ModelVersion(id=CANDIDATE, created_at=1, base="", trainer="", retired_at=AT).create()
    failed = advance(rollout.id)
    assert (failed.status, weights()) == ("failed", {STABLE: 1})
    assert f"{CANDIDATE} is retired" in failed.ended.why


def test_none_is_advanced_where_there_is_none(system: System) -> None:
    assert system
    assert advance("rollout_none") is None
