"""Calls that a provider refused, while their alias is being rolled out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aliases import changing
from aliases.changing import Said
from aliases.known import known_aliases
from foundation import table
from rollouts.rollout import Rollout
from tests.aliases.build import routing
from tests.flow.system import FakeContext, System
from tests.gateway.conftest import CHAT, listed
from tests.gateway.provider import REQUEST, Scripted, answer
from tests.gateway.provider import Said as Answered
from tests.rolling_out.calls import CANDIDATE, NAME, begun

ASKED = {**REQUEST, "model": NAME, "store": True}


@pytest.fixture
def little_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeContext, "get_remaining_time_in_millis", lambda _: 6_000)


def said(status: int, **error: Any) -> Answered:
    body = {
        "error": {"message": "no such thing", "type": "invalid_request_error", "param": None, "code": "odd"} | error
    }
    return Answered(status, json.dumps(body).encode(), {"content-type": "application/json"})


def at_all(**fields: Any) -> Rollout:
    """A rollout in its last stage: the candidate answers every call."""
    rollout = begun(stages=[0, 100], stage=1, **fields)
    version = changing.put(NAME, routing((CANDIDATE, 1)), Said("rollout")).version
    rollout.change({"alias_version": version})
    known_aliases.forget()
    return rollout


def looked_at(system: System) -> None:
    """Let some minutes pass: what lands while rounds are under way is taken together later."""
    system.settle()
    for _ in range(3):
        system.send("ROLLOUT", {"type": "LookAtRollouts"})
        system.settle()


def failed(system: System) -> list[dict[str, Any]]:
    return listed(system, f"?alias={NAME}&has_error=true")


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_it_is_captured_with_what_the_provider_said(system: System, provider: Scripted, status: int) -> None:
    at_all()
    provider.answers = [said(status, code=None if status == 401 else "odd")]
    for _ in range(2):
        assert system.call("POST", CHAT, ASKED)[0] == status
    first, second = failed(system)
    assert first["id"] != second["id"], "each is one, though they fail in the same way"
    assert first["alias"]["target"] == first["model"] == CANDIDATE
    exported = system.call("GET", f"/v1/exports/completions?alias={NAME}&has_error=true")[1]
    error = json.loads(exported.splitlines()[0])["response"]["error"]
    assert error == {"message": "no such thing", "code": None if status == 401 else "odd", "status": status}


def test_a_response_is_captured_as_the_chat_that_it_is(system: System, provider: Scripted) -> None:
    at_all()
    provider.answers = [said(400)]
    assert system.call("POST", "/v1/responses", {"model": NAME, "input": "hello"})[0] == 400
    [stored] = failed(system)
    assert stored["alias"]["target"] == CANDIDATE
    messages = system.ok("GET", f"{CHAT}/{stored['id']}/messages")["data"]
    assert [(one["role"], one["content"]) for one in messages] == [("user", "hello")]


@pytest.mark.usefixtures("little_time")
@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({**ASKED, "store": False}, 400),
        ({**ASKED, "model": CANDIDATE}, 400),
        ({**ASKED, "messages": [{"content": "no role"}]}, 400),
        ({**ASKED, "messages": [{"role": 3, "content": "x"}]}, 400),
        (ASKED, 503),
    ],
    ids=["not stored", "no alias", "no role", "an odd role", "away"],
)
def test_what_a_rollout_need_not_know_is_not_captured(
    system: System, provider: Scripted, asked: dict[str, Any], status: int
) -> None:
    at_all()
    provider.answers = [said(status)]
    assert system.call("POST", CHAT, asked)[0] == status
    assert listed(system, "?has_error=true") == []


def test_nothing_is_captured_without_an_open_rollout(system: System, provider: Scripted) -> None:
    changing.put(NAME, routing((CANDIDATE, 1)), Said("ada"))
    known_aliases.forget()
    provider.answers = [said(400)]
    assert system.call("POST", CHAT, ASKED)[0] == 400
    table.put({"pk": "OPENROLLOUTS", "sk": NAME, "rollout_id": "", "at": 1})
    assert system.call("POST", CHAT, ASKED)[0] == 400
    assert failed(system) == []


def test_a_candidate_whose_provider_refuses_every_call_is_rolled_back(
    system: System, provider: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers all users with errors, and no call has an answer that could be graded."""
    rollout = at_all(min_pairs=5)
    monkeypatch.setattr(provider, "next", lambda asked: said(404) if asked["model"] == CANDIDATE else answer())
    for number in range(20):
        assert system.call("POST", CHAT, {**ASKED, "user": f"u{number}"})[0] == 404
    looked_at(system)
    after = Rollout.load(rollout.id)
    assert (after.status, after.ended and after.ended.gate) == ("rolled_back", "errors")
    assert after.ended is not None
    assert "the candidate did not answer" in after.ended.figures[0]
    known_aliases.forget()
    assert system.call("POST", CHAT, ASKED)[0] == 200


def test_where_both_models_refuse_it_is_paused_and_says_why(system: System, provider: Scripted) -> None:
    rollout = at_all()
    provider.answers = [said(401)]
    for number in range(8):
        assert system.call("POST", CHAT, {**ASKED, "user": f"u{number}"})[0] == 401
    looked_at(system)
    assert Rollout.load(rollout.id).status == "running", "another model would do no better"
    rollout.change({"stage_since": rollout.stage_since - 2 * 3600})
    looked_at(system)
    paused = Rollout.load(rollout.id)
    assert (paused.status, paused.pause and paused.pause.reason) == ("paused", "no_data")
    assert "Neither model answered 8 calls" in paused.steps[-1].why
