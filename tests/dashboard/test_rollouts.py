"""A rollout on the pages: begun, read with its evidence, frozen, resumed, rolled back by its buttons; hostile names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import get_args

import pytest

from foundation.ids import now
from providers import registry
from rollouts.advancing import advance
from rollouts.rollout import ENDED, Rollout, RolloutEnd, RolloutPause, Status
from tests.dashboard.browser import Browser
from tests.flow.system import System
from tests.rolling_out.calls import begun, call, push
from tests.rollouts.build import add_round, stored, tally

NAMED = "<b>\u202ename</b>"
SHORT = {"type": "regex", "name": "short", "input": "{{ sample.output_text }}", "pattern": "^.{1,80}$"}
RIGHT = {
    "type": "string_check",
    "name": "right",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.reference }}",
    "operation": "eq",
}


@pytest.fixture(autouse=True)
def priced(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The lab's models have a price here."""
    registry.forget()
    monkeypatch.setattr("rollouts.starting.is_priced", lambda _: True)
    yield
    registry.forget()


@pytest.fixture
def form(system: System) -> dict[str, str]:
    """What somebody fills in."""
    system.ok("PUT", "/v1/aliases/quick", {"targets": [{"model": "lab-judge"}]})
    data = {"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True}
    asked = {"name": NAMED, "data_source_config": data, "testing_criteria": [SHORT, RIGHT]}
    eval_id = system.ok("POST", "/v1/evals", asked)["id"]
    filled = {"alias": "quick", "candidate": "lab-small", "eval_id": eval_id, "verdict_id": "", "max_usd": "2.5"}
    return {**filled, "stages": "0, 50, 100", "share": "1", "min_pairs": "50", "min_minutes": "0"}


def is_harmless(body: str) -> bool:
    return "<b>" not in body and "\u202e" not in body and len(body.encode()) < 200_000


def test_a_rollout_is_begun_read_frozen_resumed_and_rolled_back(form: dict[str, str], browser: Browser) -> None:
    empty = browser.page("/rollouts?candidate=lab-small&alias=quick")
    assert "There is no rollout yet" in empty.text
    assert 'name="candidate" value="lab-small"' in empty.body
    assert is_harmless(empty.body)
    page = browser.post("/rollouts", form)
    assert page.status == 200, page.text
    rollout = Rollout.load(page.path.rpartition("/")[2])
    assert (rollout.stages, rollout.max_usd, rollout.min_pairs, rollout.min_minutes) == ([0, 50, 100], 2.5, 50, 0)
    assert "lab-small answers no user of quick" in page.text
    assert "right (needs item.reference)" in page.text
    assert 'http-equiv="refresh"' in page.body
    add_round(rollout, tally(40, 3, usd=0.5))
    page = browser.page(page.path)
    assert "Of 40 pairs the candidate failed 3, the stable model 0" in page.text
    assert "$0.50 of $2.50" in page.text
    frozen = browser.post(f"{page.path}/freeze", {"why": NAMED})
    assert "Somebody has frozen it" in frozen.text
    assert is_harmless(frozen.body)
    assert 'http-equiv="refresh"' not in frozen.body
    assert "running" in browser.post(f"{page.path}/resume", {"max_usd": "3", "why": ""}).text
    assert Rollout.load(rollout.id).max_usd == 3
    back = browser.post(f"{page.path}/rollback", {"why": "a complaint"})
    assert "a complaint" in back.text
    assert "Roll back this rollout" not in back.text
    listed = browser.page("/rollouts")
    assert f"{rollout.id} rolled back quick lab-judge lab-small 0%" in listed.text
    assert f"/rollouts/{rollout.id}" in listed.links


def test_it_is_canceled_in_the_shadow(form: dict[str, str], browser: Browser) -> None:
    page = browser.post("/rollouts", form)
    assert "Cancel this rollout" in page.text
    assert "canceled" in browser.post(f"{page.path}/cancel").text


def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(form: dict[str, str], browser: Browser) -> None:
    browser.page("/rollouts")
    for field, wrong in (("max_usd", "much"), ("stages", "0, few"), ("min_pairs", "1.5"), ("alias", "none")):
        refused = browser.post("/rollouts", {**form, field: wrong})
        assert refused.status in {400, 404}, (field, refused.text)
        assert f'value="{wrong}"' in refused.body
    assert browser.get("/rollouts/rollout_none").status == 404
    assert browser.post("/rollouts/rollout_none/rollback").status == 404


def test_whoever_may_read_alone_gets_no_buttons(system: System, visitor: Browser) -> None:
    made = stored(pause=RolloutPause(reason="budget", since=now(), message=NAMED), status="paused")
    visitor.sign_in(system.ok("POST", "/v1/keys", {"name": "reader", "scopes": ["read"]})["key"])
    page = visitor.page(f"/rollouts/{made.id}")
    assert "Its budget" in page.text or "name" in page.text
    assert is_harmless(page.body)
    assert "<button" not in page.body.partition("<main")[2]
    assert "Roll out a model" not in visitor.page("/rollouts").text
    assert visitor.post(f"/rollouts/{made.id}/rollback").status == 403


def test_a_rollout_that_ended_names_gate_and_pairs(form: dict[str, str], browser: Browser) -> None:
    page = browser.post("/rollouts", form)
    rollout = Rollout.load(page.path.rpartition("/")[2])
    add_round(rollout, tally(100, 60))
    advance(rollout.id)
    page = browser.page(page.path)
    assert "The gate 'quality' is exceeded." in page.text
    assert "/completions/chatcmpl-0" in page.links
    assert "breached" in page.text
    assert "100.0%" in page.text
    assert any(link.startswith("/rollouts?alias=quick") for link in browser.page("/aliases/quick").links)
    assert "/rollouts?candidate=lab-small" in browser.page("/models/lab-small").links


def test_the_pairs_are_read_side_by_side_the_lost_ones_first(system: System, browser: Browser) -> None:
    rollout = begun()
    push(system, *(call(number) for number in range(6)), call(7, answer=NAMED))
    path = f"/rollouts/{rollout.id}/pairs"
    assert path in browser.page(f"/rollouts/{rollout.id}").links
    lost, every = browser.page(path), browser.page(f"{path}?which=all")
    assert is_harmless(every.body)
    assert lost.body.count("/completions/chatcmpl-live-") < every.body.count("/completions/chatcmpl-live-") == 7
    assert "what the user got" in every.text
    assert "asked afterwards" in every.text
    assert "<U+202E>name" in every.text
    assert browser.get("/rollouts/rollout_none/pairs").status == 404


BUTTONS = {
    "running": {"freeze", "rollback", "cancel"},
    "paused": {"freeze", "resume", "rollback", "cancel"},
    "frozen": {"resume", "rollback", "cancel"},
    "promoted": {"rollback"},
    "rolled_back": set(),
    "failed": set(),
    "canceled": set(),
}


@pytest.mark.parametrize("status", get_args(Status.__value__))
def test_a_rollout_in_every_state_offers_what_can_be_done_with_it(status: Status, browser: Browser) -> None:
    over = {"ended_at": now(), "ended": RolloutEnd(why=NAMED)} if status in ENDED else {}
    pause = RolloutPause(reason="budget", since=now(), message=NAMED) if status == "paused" else None
    made = stored(status=status, pause=pause, **over)
    page = browser.page(f"/rollouts/{made.id}")
    assert is_harmless(page.body)
    assert set(re.findall(rf'action="[^"]*/rollouts/{made.id}/(\w+)"', page.body)) == BUTTONS[status]
    assert ('http-equiv="refresh"' in page.body) is (status == "running")
