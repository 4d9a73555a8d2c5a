"""A model that lost its verdict is retired after the days that were set, and never without a week's notice."""

from __future__ import annotations

from typing import Any

import pytest

from aliases import changing
from aliases.changing import Said
from distillations.attempts import Attempt
from notifications.alerts import Alert
from providers.model_version import ModelVersion
from providers.spending import CostSettings
from tests.aliases.build import routing
from tests.distilling import build
from tests.flow.system import CLOCK, FakeContext, System
from tests.rolling_out.calls import begun

DAY = 86_400
MODEL = build.MODEL
LOST_AT = build.AT


@pytest.fixture
def lost(system: System) -> ModelVersion:
    """A model whose verdict says `worse`, where such models are retired after 30 days."""
    assert system
    return trained("worse")


def trained(outcome: str, number: int = 1) -> ModelVersion:
    distillation = build.distillation("completed", number=number, model=f"{MODEL}-{number}")
    build.verdict(distillation, outcome=outcome)
    version = ModelVersion(id=f"{MODEL}-{number}", created_at=1, base="b", trainer="", distillation_id=distillation.id)
    version.create()
    CostSettings(id="costs", created_at=1, retire_lost_after_days=30).create()
    return version


def day(number: int, system: System, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], list[str]]:
    """The day's work, so many days after the verdict: which models are told, which are retired."""
    for module in ("tuning.lost", "notifications.alerts", "notifying.notify"):
        monkeypatch.setattr(f"{module}.now", lambda: LOST_AT + number * DAY)
    CLOCK({"due": "daily"}, FakeContext())
    retired = [message["model_id"] for message in build.sent(system, "TUNING")]
    while system.deliver("NOTIFY"):
        pass
    return [notice["object_id"] for notice in system.notifications()], retired


def test_people_are_told_a_week_before_and_then_it_is_retired(
    system: System, lost: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = {number: day(number, system, monkeypatch) for number in (1, 22, 23, 24, 29, 30)}
    assert {number: happened for number, happened in seen.items() if happened != ([], [])} == {
        23: ([lost.id], []),
        30: ([], [lost.id]),
    }


def test_a_setting_that_comes_late_gives_a_week_too(
    system: System, lost: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [day(number, system, monkeypatch) for number in (100, 106, 107)] == [
        ([lost.id], []),
        ([], []),
        ([], [lost.id]),
    ]


@pytest.mark.parametrize("change", [{"keep": True}, {"retired_at": 1}])
def test_what_is_kept_or_gone_is_left(
    change: dict[str, Any], system: System, lost: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost.change(change)
    assert day(60, system, monkeypatch) == ([], [])


def test_keeping_it_after_the_notice_counts(
    system: System, lost: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    day(23, system, monkeypatch)
    assert system.ok("POST", f"/v1/models/{lost.id}", {"keep": True})["keep"] is True
    assert day(60, system, monkeypatch) == ([], [])


@pytest.mark.parametrize("looked_at", [True, False])
def test_what_is_let_go_after_it_was_kept_has_its_week_again(
    looked_at: bool, system: System, lost: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert day(23, system, monkeypatch) == ([lost.id], [])
    system.ok("POST", f"/v1/models/{lost.id}", {"keep": True})
    if looked_at:
        assert day(29, system, monkeypatch) == ([], [])
    system.ok("POST", f"/v1/models/{lost.id}", {"keep": False})
    assert [day(number, system, monkeypatch) for number in (31, 37, 38)] == [
        ([lost.id], []),
        ([], []),
        ([], [lost.id]),
    ]


def test_a_setting_that_was_taken_back_and_given_again_gives_a_week_again(
    system: System, lost: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert day(23, system, monkeypatch) == ([lost.id], [])
    for days, number, happens in (
        (None, 24, ([], [])),
        (30, 60, ([lost.id], [])),
        (20, 68, ([lost.id], [])),
        (20, 75, ([], [lost.id])),
    ):
        CostSettings.load("costs").change({"retire_lost_after_days": days})
        assert day(number, system, monkeypatch) == happens, (days, number)


@pytest.mark.parametrize("side", ["candidate", "stable"])
def test_what_an_open_rollout_needs_stays_until_it_has_ended(
    side: str, system: System, lost: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollout = begun()
    rollout.change({side: lost.id})
    assert day(60, system, monkeypatch) == ([], [])
    rollout.change({"status": "canceled"})
    assert day(60, system, monkeypatch) == ([lost.id], [])


@pytest.mark.parametrize("outcome", ["beats_baseline", "inconclusive"])
def test_what_did_not_lose_stays(outcome: str, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    trained(outcome)
    assert day(60, system, monkeypatch) == ([], [])


def test_without_a_setting_nothing_is_retired(
    system: System, lost: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lost
    system.ok("POST", "/v1/costs", {"retire_lost_after_days": None})
    assert day(60, system, monkeypatch) == ([], [])


def test_the_message_says_how_to_keep_it(system: System, lost: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    day(23, system, monkeypatch)
    [alert] = Alert.page().data
    assert alert.sentence.endswith("lost its verdict, or was not chosen, and is retired on 2026-10-21.")
    assert f"stillhouse model keep {lost.id}" in alert.lines[1]


def test_a_model_that_was_not_chosen_has_lost_whatever_became_of_the_other(
    system: System, lost: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    distillation = build.distillation(
        "completed",
        number=3,
        model="ft:chosen",
        attempts=[
            Attempt(student="b", hyperparameters={}, job_id=f"ftjob-{name}", model=f"ft:{name}")
            for name in ("chosen", "other", "kept")
        ],
    )
    build.verdict(distillation, outcome="beats_baseline")
    for name in ("chosen", "other", "kept", "of_nothing"):
        version = ModelVersion(
            id=f"ft:{name}", created_at=1, base="b", trainer="", distillation_id=distillation.id, keep=name == "kept"
        )
        version.create()
    told, _ = day(23, system, monkeypatch)
    assert sorted(told) == sorted([lost.id, "ft:other"])


def test_one_that_an_alias_points_at_is_neither_told_nor_retired(
    system: System, lost: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    changing.put("quick", routing(("big", 1), fallback=lost.id), Said("ada"))
    assert [day(number, system, monkeypatch) for number in (23, 40)] == [([], []), ([], [])]
    changing.put("quick", routing(("big", 1)), Said("ada"))
    assert day(50, system, monkeypatch) == ([lost.id], [])
