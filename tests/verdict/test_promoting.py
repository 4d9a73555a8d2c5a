"""A verdict that beats the baseline changes the alias that asks for it: once, and only that one."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from aliases import changing, history
from aliases.alias import Alias, Cascade, Routing, Target
from aliases.changing import Said
from distillations import lineage
from distillations.distillation import Distillation
from distillations.verdict import Decision, Verdict
from foundation.errors import RetryLater
from notifications.alerts import Alert
from providers.model_version import ModelVersion
from tests.aliases.build import routing
from tests.distillations import documents
from tests.distilling import build
from tests.flow.faults import Hook, injected
from tests.flow.system import System
from verdict.promoting import promote_winner

_MOST_CALLS = 40
ASKS: dict[str, Any] = {"promote_on": "beats_baseline"}


def decided(outcome: Decision = "beats_baseline", **fields: Any) -> Distillation:
    distillation = build.distillation("deciding", model=build.MODEL, **{"alias": "quick", **fields})
    verdict = documents.verdict(id=distillation.verdict_id, outcome=outcome)
    verdict.create()
    return Distillation.load(distillation.id)


def point(to: Routing) -> Alias:
    return changing.put("quick", to, Said("ada"))


def test_the_model_takes_the_calls_and_who_had_them_stands_in(system: System) -> None:
    assert system
    point(routing(("big", 9), ("small", 1), ("refunds", 1, {"topic": "refund"}), **ASKS))
    distillation = decided()
    verdict = Verdict.load(distillation.verdict_id)
    for _ in range(3):
        promote_winner(distillation)
    alias = changing.load("quick")
    assert [(target.model, target.when) for target in alias.targets] == [
        (build.MODEL, {}),
        ("refunds", {"topic": "refund"}),
    ]
    assert (alias.version, alias.fallback, alias.promote_on) == (2, "big", "beats_baseline")
    assert (alias.by, alias.why, alias.verdict_id) == ("verdict", verdict.sentence, verdict.id)
    [alert] = Alert.every()
    assert (alert.type, alert.object_id) == ("alias.promoted", "quick")
    above = {node["id"] for node in lineage.graph("quick")["nodes"]}
    assert {build.MODEL, verdict.id} <= above


def test_a_cascade_stays_with_its_own_model_and_with_the_slices(system: System) -> None:
    assert system
    cascade = Cascade(to="big", by="logprob", threshold=-0.1)
    own = Target(model=build.MODEL, cascade=cascade)
    refunds = Target(model="refunds", when={"topic": "refund"}, cascade=cascade)
    point(Routing(targets=[Target(model="big", weight=9), own, refunds], promote_on="beats_baseline"))
    promote_winner(decided())
    assert changing.load("quick").targets == [own, refunds]
    other = Target(model="other", cascade=cascade)
    point(Routing(targets=[other, refunds], promote_on="beats_baseline"))
    promote_winner(decided(number=2))
    promoted = changing.load("quick")
    assert (promoted.targets, promoted.fallback) == ([Target(model=build.MODEL), refunds], "big")
    assert changing.roll_back("quick", None, Said("ada")).targets == [other, refunds]


def test_who_has_gone_back_is_not_overruled_by_the_same_verdict(system: System) -> None:
    assert system
    point(routing(("big", 1), **ASKS))
    distillation = decided()
    promote_winner(distillation)
    changing.roll_back("quick", None, Said("ada"))
    for number in range(30):
        point(routing(("big", number + 1), ("other", 1), **ASKS))
    before = changing.load("quick").version
    promote_winner(distillation)
    assert changing.load("quick").version == before


def test_who_has_changed_it_for_this_verdict_is_not_overruled_by_it(system: System) -> None:
    """A message that was put back from the dead letters may come days late."""
    assert system
    distillation = decided()
    changing.put("quick", routing(("big", 95), (build.MODEL, 5), **ASKS), Said("ada", None, distillation.verdict_id))
    promote_winner(distillation)
    assert changing.load("quick").version == 1
    assert list(Alert.every()) == []


def test_an_older_verdict_that_comes_late_does_not_take_the_calls_from_a_younger_ones_model(system: System) -> None:
    assert system
    point(routing(("big", 1), **ASKS))
    older, younger = decided(number=1), decided(number=2)
    Verdict.load(younger.verdict_id).change({"created_at": documents.AT + 60})
    younger = younger.model_copy(update={"model": "ft:younger"})
    promote_winner(younger)
    promote_winner(older)
    assert (changing.load("quick").version, changing.load("quick").verdict_id) == (2, younger.verdict_id)
    other = decided(number=3)
    Verdict.load(other.verdict_id).change({"created_at": documents.AT + 120})
    promote_winner(other)
    assert changing.load("quick").verdict_id == other.verdict_id


def test_a_model_that_was_retired_meanwhile_takes_no_calls(system: System) -> None:
    assert system
    point(routing(("big", 1), **ASKS))
    ModelVersion(id=build.MODEL, created_at=1, base="b", trainer="", retired_at=7).create()
    promote_winner(decided())
    assert changing.load("quick").version == 1


def test_a_model_that_was_the_fallback_has_who_had_the_calls_behind_it(system: System) -> None:
    assert system
    point(routing(("big", 1), fallback=build.MODEL, **ASKS))
    promote_winner(decided())
    assert changing.load("quick").fallback == "big"


@pytest.mark.parametrize("outcome", ["no_better", "worse", "inconclusive"])
def test_no_other_verdict_changes_it(outcome: Decision, system: System) -> None:
    assert system
    point(routing(("big", 1), **ASKS))
    promote_winner(decided(outcome))
    assert changing.load("quick").version == 1


def test_an_alias_that_does_not_ask_or_is_gone_or_is_not_named_stays(system: System) -> None:
    assert system
    distillation = decided()
    promote_winner(distillation)
    assert Alias.find("quick") is None
    point(routing(("big", 1)))
    promote_winner(distillation.model_copy(update={"alias": None}))
    promote_winner(distillation)
    assert changing.load("quick").version == 1
    assert list(Alert.every()) == []


def test_a_change_by_somebody_else_meanwhile_is_kept(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """The routing is made from the version that it takes the place of."""
    assert system
    point(routing(("big", 1), **ASKS))
    keep, others = history.keep, [routing(("big", 1), ("slice", 1, {"a": "b"}), **ASKS)]

    def keep_after_another(alias: Alias) -> None:
        if others:
            point(others.pop())
        keep(alias)

    monkeypatch.setattr(history, "keep", keep_after_another)
    promote_winner(decided())
    alias = changing.load("quick")
    assert (alias.version, [target.model for target in alias.targets]) == (3, [build.MODEL, "slice"])


def test_many_changes_at_once_are_left_to_a_later_delivery(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    assert system
    point(routing(("big", 1), **ASKS))
    monkeypatch.setattr(Alias, "change", lambda *_, **__: False)
    with pytest.raises(RetryLater):
        promote_winner(decided())


@pytest.mark.parametrize("when", ["before", "after"])
def test_any_call_may_fail_and_the_next_delivery_makes_the_version_once(
    when: str, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert system
    calls = 0
    for n in range(1, _MOST_CALLS):
        name = f"quick-{n}"
        changing.put(name, routing(("big", 1), **ASKS), Said("ada"))
        distillation = decided(number=n, alias=name)
        hook = Hook(n, when)
        with injected(hook, monkeypatch):
            hook.around("verdict", partial(promote_winner, distillation))
            struck, calls = bool(hook.struck), hook.counts["verdict"]
        for _ in range(2):
            promote_winner(distillation)
        alias = changing.load(name)
        assert (alias.version, alias.by, alias.targets[0].model) == (2, "verdict", build.MODEL), n
        assert [version.version for version in history.versions(alias)] == [2, 1], n
        assert {node["id"] for node in lineage.graph(name)["nodes"]} == {name, build.MODEL, distillation.verdict_id}
        assert len([alert for alert in Alert.every() if alert.object_id == name]) == 1
        if not struck:
            break
    assert 8 < calls < _MOST_CALLS
