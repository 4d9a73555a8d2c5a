"""A call by an alias's name: who answers, what the answer and the capture say of it, and how fast a change is seen."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from aliases import changing
from aliases.alias import Alias, Routing
from aliases.changing import Said
from aliases.known import KnownAliases, known_aliases
from foundation import table
from gateway.forward import forward
from gateway.policy import Policy
from providers import ProviderRefused
from providers.model_version import ModelVersion
from tests.aliases.build import routing
from tests.flow.system import FakeContext, System
from tests.gateway.conftest import CHAT, listed
from tests.gateway.provider import REQUEST, Further, Scripted, answer
from tests.gateway.provider import Said as Answered

ASKED = {**REQUEST, "model": "quick"}
TROUBLE = json.dumps({"error": {"message": "later", "type": "server_error", "param": None, "code": None}}).encode()


@pytest.fixture(autouse=True)
def little_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeContext, "get_remaining_time_in_millis", lambda _: 6_000)


def point(to: Routing) -> Alias:
    made = changing.put("quick", to, Said("test"))
    known_aliases.forget()
    return made


def test_the_target_answers_and_the_capture_says_who_was_asked(system: System, provider: Scripted) -> None:
    point(routing(("big", 1)))
    point(routing(("small", 1)))
    code, body = system.call("POST", CHAT, {**ASKED, "store": True})
    assert (code, body["id"], system.headers["x-stillhouse-alias"]) == (200, "chatcmpl-scripted", "quick@2")
    assert provider.asked == [{**REQUEST, "model": "small"}]
    alias = {"name": "quick", "version": 2, "target": "small"}
    [stored] = listed(system, "?alias=quick")
    assert stored["alias"] == alias
    assert [one["id"] for one in listed(system, "?alias=quick@2&model=small")] == [stored["id"]]
    assert listed(system, "?alias=quick@1") == listed(system, "?alias=other") == []
    graph = system.ok("GET", f"/v1/lineage/{stored['id']}")
    assert {"id": "quick", "kind": "alias", "side": "up"} in graph["nodes"]
    assert {"from": "quick", "to": stored["id"]} in graph["edges"]
    [exported] = json.loads(f"[{system.call('GET', '/v1/exports/completions?alias=quick')[1].strip()}]")
    assert (exported["alias"], exported["request"]["model"]) == (alias, "small")
    exported["response"]["id"] = "chatcmpl-again"
    assert system.ok("POST", "/v1/captures", exported)["accepted"] == 1
    assert len(listed(system, "?alias=quick@2")) == 2


def test_a_model_that_is_named_is_never_routed_elsewhere(system: System, provider: Scripted) -> None:
    point(routing(("big", 1)))
    system.ok("POST", CHAT, {**REQUEST, "model": "small", "store": True})
    assert [request["model"] for request in provider.asked] == ["small"]
    assert "x-stillhouse-alias" not in system.headers
    assert listed(system)[0]["alias"] is None


def test_a_slice_and_a_session_have_their_target(system: System, provider: Scripted) -> None:
    sliced = routing(("big", 1), ("small", 1), ("refunds", 1, {"topic": "refund"}), sticky_by={"header": "X-Session"})
    point(sliced)
    for headers in ({"x-stillhouse-metadata": "topic=refund"}, {}):
        system.call("POST", CHAT, ASKED, headers=headers)
    system.call("POST", CHAT, {**ASKED, "metadata": {"topic": "refund"}})
    asked = [request["model"] for request in provider.asked]
    assert (asked[0], asked[2], asked[1] in {"big", "small"}) == ("refunds", "refunds", True)
    provider.asked.clear()
    for number in range(30):
        system.call("POST", CHAT, {**ASKED, "user": f"u{number}"}, headers={"X-Session": "s1"})
    assert len({request["model"] for request in provider.asked}) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_the_fallback_stands_in_and_the_capture_says_so(stream: bool, system: System, provider: Scripted) -> None:
    point(routing(("small", 1), fallback="big"))
    provider.answers = [Answered(503, TROUBLE, {"retry-after": "60"}), answer(id="chatcmpl-big", model="big-1")]
    code, _ = system.call("POST", CHAT, {**ASKED, "store": True, "stream": stream})
    assert (code, system.headers["x-stillhouse-fallback"]) == (200, "big")
    assert system.headers["x-stillhouse-alias"] == "quick@1"
    [stored] = listed(system, "?alias=quick&model=big")
    assert (stored["id"], stored["alias"]["target"]) == ("chatcmpl-big", "small")


def test_a_header_or_a_key_names_another_fallback(system: System, provider: Scripted) -> None:
    point(routing(("small", 1), fallback="big"))
    provider.answers = [Answered(503, TROUBLE, {"retry-after": "60"}), answer()]
    system.call("POST", CHAT, ASKED, headers={"x-stillhouse-fallback-model": "spare"})
    assert [request["model"] for request in provider.asked] == ["small", "spare"]


def test_a_fallback_of_the_key_that_is_the_target_leaves_the_aliass_own(system: System, provider: Scripted) -> None:
    point(routing(("small", 1), fallback="größer"))
    provider.answers = [Answered(503, TROUBLE, {"retry-after": "60"}), answer()]
    assert system.call("POST", CHAT, ASKED, headers={"x-stillhouse-fallback-model": "small"})[0] == 200
    assert [request["model"] for request in provider.asked] == ["small", "größer"]
    assert system.headers["x-stillhouse-fallback"] == "gr%C3%B6%C3%9Fer"


def test_the_time_that_finding_the_alias_takes_is_not_the_models(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert system
    clock, given = [0.0], []

    def slowly(request: dict[str, Any], policy: Policy, _: Any) -> tuple[dict[str, Any], Policy]:
        clock[0] += 7.0
        return request, policy

    async def asked(_: Any, __: Any, ___: Any, seconds: float, ____: Any) -> tuple[str, Any]:
        given.append(seconds)
        raise ProviderRefused(400, b"{}", {})

    monkeypatch.setattr("gateway.forward.time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr("gateway.forward.aliased", slowly)
    monkeypatch.setattr("gateway.forward.ask_any", asked)
    forward(ASKED, Policy(store=False, metadata={}, fallback_model=None), deadline_s=28.0)
    assert given == [19.0]


def test_a_target_that_was_retired_meanwhile_is_stood_in_for(system: System, provider: Scripted) -> None:
    ModelVersion(id="small", created_at=1, base="b", trainer="", retired_at=7).create()
    point(routing(("small", 1), fallback="big"))
    assert system.call("POST", CHAT, ASKED)[0] == 200
    assert [request["model"] for request in provider.asked] == ["big"]
    point(routing(("small", 1)))
    code, refusal = system.call("POST", CHAT, ASKED)
    assert (code, refusal["error"]["code"], system.headers["x-stillhouse-alias"]) == (404, "model_retired", "quick@2")


def test_a_response_is_answered_by_it_and_its_conversation_stays(system: System, provider: Scripted) -> None:
    point(routing(("big", 1), ("small", 1)))
    for number in range(6):
        first = system.ok("POST", "/v1/responses", {"model": "quick", "input": f"question {number}"})
        side = provider.asked[-1]["model"]
        assert system.headers["x-stillhouse-alias"] == "quick@1"
        more = {"model": "quick", "input": "and?", "previous_response_id": first["id"]}
        system.ok("POST", "/v1/responses", more)
        assert provider.asked[-1]["model"] == side
    assert {one["alias"]["name"] for one in listed(system)} == {"quick"}


def test_what_is_passed_on_has_the_targets_name(system: System, further: Further) -> None:
    others = further(alpha=["embed"])
    point(routing(("embed", 1)))
    assert system.call("POST", "/v1/embeddings", {"model": "quick", "input": "x"})[0] == 200
    assert [request["model"] for request in others["alpha"].asked] == ["embed"]


def test_a_change_is_seen_within_a_second_and_a_failing_read_keeps_what_was_known() -> None:
    now, stored = [0.0], [Alias.model_construct(id="quick", version=1)]

    def read(name: str) -> Any:
        reads.append(name)
        if not stored:
            raise ConnectionError
        return stored[0]

    reads: list[str] = []
    known = KnownAliases(read, lambda: now[0])
    assert [known.find("quick") for _ in range(50)] == [stored[0]] * 50
    assert reads == ["quick"]
    stored[0] = Alias.model_construct(id="quick", version=2)
    now[0] = 0.9
    assert known.find("quick") is stored[0]
    last, stored[:] = stored[0], []
    now[0] = 5.0
    assert [known.find("quick") for _ in range(3)] == [last] * 3
    assert reads == ["quick"] * 3
    stored.append(Alias.model_construct(id="quick", version=3))
    now[0] = 10.5
    assert known.find("quick") is stored.pop()
    with pytest.raises(ConnectionError):
        known.find("other")
    assert known.find("a/b") is known.find("ft:x") is known.find("") is known.find("x" * 65) is None


def test_no_call_fails_during_50_changes(system: System, provider: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call is answered by a target of the version before or after the change, never by another."""
    monkeypatch.setattr("aliases.known._HELD_S", 0.0)
    for number in range(50):
        known = Alias.find("quick")
        changing.put("quick", routing((f"m{number}", 1), (f"n{number}", 1)), Said("test"))
        assert system.call("POST", CHAT, ASKED)[0] == 200
        assert provider.asked[-1]["model"] in {f"m{number}", f"n{number}"}
        assert int(system.headers["x-stillhouse-alias"].removeprefix("quick@")) == (known.version if known else 0) + 1
    assert len(list(table.query("ALIASVERSIONS#quick"))) == 49


@pytest.mark.parametrize("model", ["big", "quick"])
def test_a_fallback_that_is_an_alias_is_looked_up(model: str, system: System, provider: Scripted) -> None:
    point(routing(("big", 1), fallback="never"))
    changing.put("spare", routing(("small", 1), ("refunds", 1, {"topic": "refund"}), fallback="never"), Said("test"))
    known_aliases.forget()
    away = Answered(503, TROUBLE, {"x-should-retry": "false"})
    headers = {"x-stillhouse-fallback-model": "spare"}
    for metadata, wanted in ({}, "small"), ({"topic": "refund"}, "refunds"):
        provider.answers = [away, answer()]
        provider.asked.clear()
        request = {**ASKED, "model": model, "metadata": metadata}
        assert system.call("POST", CHAT, request, headers=headers)[0] == 200
        assert [asked["model"] for asked in provider.asked] == ["big", wanted]
        assert system.headers["x-stillhouse-fallback"] == wanted
