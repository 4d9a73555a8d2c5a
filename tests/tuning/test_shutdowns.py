"""People are told of a model in use that ends: 90, 30 and 7 days before, once each, with what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from evals.eval import Eval
from notifications.alerts import Alert
from providers import shutdown_dates
from providers.model_version import ModelVersion
from providers.shutdown_dates import Shutdown
from tests.distilling import build
from tests.flow.system import CLOCK, FakeContext, System
from tests.rolling_out.calls import CANDIDATE, STABLE, begun

DAY = 86_400
AT = 1_790_000_000  # 2026-09-21


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Say what day it is, and when models end."""

    def say(at: int = AT, **dates: str) -> None:
        for module in ("tuning.shutdowns", "notifications.alerts"):
            monkeypatch.setattr(f"{module}.now", lambda: at)
        named = {name.replace("_", "-"): Shutdown(day, "a page") for name, day in dates.items()}
        monkeypatch.setattr(shutdown_dates, "read", lambda _: None)
        monkeypatch.setattr(shutdown_dates, "shutdown_of", named.get)

    return say


def told(system: System) -> list[dict[str, Any]]:
    """What people get of a day."""
    CLOCK({"due": "daily"}, FakeContext())
    system.settle()
    return system.notifications()


def test_a_model_is_told_at_each_mark_once(system: System, ends: Callable[..., None]) -> None:
    build.distillation("blocked", teacher="gpt-x", student="small")
    marks: list[int] = []
    for left in (120, 91, 90, 89, 31, 30, 29, 8, 7, 6, 0, -1):
        ends(AT + (120 - left) * DAY, gpt_x="2027-01-19")
        for notice in told(system):
            marks.append(left)
            assert (notice["type"], notice["object_id"]) == ("model.shutdown_approaching", "gpt-x")
            assert f"in {left} days. It is the teacher of 1 distillation." in notice["sentence"]
            assert "POST /v1/distillations/distill_1/repeat" in notice["lines"][0]
            assert notice["lines"][-1] == "The date is from a page."
    assert marks == [90, 30, 7]


def test_late_news_is_told_at_the_nearest_mark_alone_and_another_date_is_news(
    system: System, ends: Callable[..., None]
) -> None:
    build.distillation("completed", teacher="gpt-x")
    ends(gpt_x="2026-09-26")
    assert ["in 5 days" in notice["sentence"] for notice in told(system)] == [True]
    assert told(system) == []
    ends(gpt_x="2026-09-01")
    assert ["has ended on 2026-09-01" in notice["sentence"] for notice in told(system)] == [True]
    assert told(system) == []


def test_what_is_in_use_is_told_and_nothing_else(system: System, ends: Callable[..., None]) -> None:
    judge = {"type": "label_model", "name": "j", "model": "judge-x", "input": [{"role": "user", "content": "?"}]}
    Eval(
        id="eval_j",
        created_at=1,
        name="judged",
        data_source_config={"type": "custom"},
        testing_criteria=[{**judge, "labels": ["a", "b"], "passing_labels": ["a"], "id": "j-1"}],
    ).create()
    build.distillation("completed", number=1, teacher="big", student="small", contenders=["cheap"])
    build.distillation("completed", number=2, teacher="old", student="older", created_at=AT - 91 * DAY)
    build.distillation("blocked", number=3, teacher="waiting", student="small", created_at=AT - 91 * DAY)
    ModelVersion(id="mine", created_at=1, base="b", trainer="default", distillation_id="distill_1").create()
    ModelVersion(id="gone", created_at=1, base="b", trainer="default", retired_at=1).create()
    every = ("big", "small", "cheap", "old", "older", "waiting", "mine", "gone", "judge-x", "b")
    ends(**dict.fromkeys((name.replace("-", "_") for name in every), "2026-09-30"))
    notices = {notice["object_id"]: notice for notice in told(system)}
    assert set(notices) == {"big", "small", "cheap", "waiting", "mine", "judge-x"}
    assert "It is the student of 2 distillations." in notices["small"]["sentence"]
    assert "a judge of 1 eval" in notices["judge-x"]["sentence"]
    assert "eval_j" in notices["judge-x"]["lines"][0]
    assert "distill_1/repeat" in notices["mine"]["lines"][0]


def test_the_candidate_of_an_open_rollout_and_what_answers_for_an_alias_are_in_use(
    system: System, ends: Callable[..., None]
) -> None:
    rollout = begun()
    ends(**dict.fromkeys((name.replace("-", "_") for name in (CANDIDATE, STABLE)), "2026-09-30"))
    lines = {notice["object_id"]: (notice["sentence"], notice["lines"][0]) for notice in told(system)}
    assert lines.keys() == {CANDIDATE, STABLE}
    sentence, remedy = lines[CANDIDATE]
    assert "It is the candidate of 1 rollout." in sentence
    assert f"POST /v1/rollouts/{rollout.id}/rollback" in remedy
    assert "behind 1 alias" in lines[STABLE][0]


def test_what_was_raised_and_never_sent_is_sent_by_the_next_day(
    system: System, ends: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    build.distillation("completed", teacher="gpt-x")
    ends(gpt_x="2026-09-26")
    with monkeypatch.context() as broken:
        broken.setattr("notifications.raising.bus.send", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            CLOCK({"due": "daily"}, FakeContext())
    [alert] = Alert.page().data
    assert alert.told_at is None
    assert [notice["id"] for notice in told(system)] == [alert.id]
    assert Alert.load(alert.id).told_at
