"""A cascade through the gateway: whose answer it is, what the caller and the capture see of it, and what it costs."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from aliases import changing
from aliases.alias import Alias, Cascade, Routing, Target
from aliases.changing import Said
from aliases.known import known_aliases
from completions.confidence import of_completion
from foundation import loop
from foundation.errors import ApiError
from gateway.cascading import Answered, Api, ask_any
from gateway.policy import Policy
from providers import Answer
from tests.flow.system import KEY, FakeContext, System
from tests.gateway.conftest import CHAT, listed
from tests.gateway.provider import COMPLETION, REQUEST, Further, Scripted, answer
from tests.gateway.provider import Said as Told
from tests.runtime_api import Lambda, http_event

ASKED = {**REQUEST, "model": "quick"}
TROUBLE = json.dumps({"error": {"message": "later", "type": "server_error", "param": None, "code": None}}).encode()
AWAY = Told(503, TROUBLE, {"retry-after": "60"})
BY = {"to": "big", "by": "logprob", "threshold": -0.1}


@pytest.fixture(autouse=True)
def little_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeContext, "get_remaining_time_in_millis", lambda _: 6_000)


def point(**fields: Any) -> Alias:
    target = Target(model="small", cascade=Cascade.model_validate(BY))
    made = changing.put("quick", Routing(targets=[target], **fields), Said("test"))
    known_aliases.forget()
    return made


def sure(logprob: float, **fields: Any) -> Told:
    """The target's answer with one token of this log-probability."""
    tokens = {"content": [{"token": "billing", "logprob": logprob, "bytes": None, "top_logprobs": []}], "refusal": None}
    choice = {**COMPLETION["choices"][0], "logprobs": tokens}
    return answer(**{"id": "chatcmpl-small", "model": "small-1", "choices": [choice], **fields})


def dear() -> Told:
    return answer(
        id="chatcmpl-big", model="big-1", usage={"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
    )


def test_a_sure_answer_is_kept_and_looks_as_if_nobody_had_asked_how_sure_it_is(
    system: System, provider: Scripted
) -> None:
    point()
    provider.answers = [sure(-0.1)]
    body = system.ok("POST", CHAT, {**ASKED, "store": True})
    assert provider.asked == [{**REQUEST, "model": "small", "logprobs": True}]
    assert body == {**COMPLETION, "id": "chatcmpl-small", "model": "small-1"}
    assert system.headers["x-stillhouse-cascade"] == "kept; confidence=-0.1"
    assert "x-stillhouse-fallback" not in system.headers
    [stored] = listed(system, "?alias=quick")
    assert stored["alias"]["cascade"] == {**BY, "confidence": -0.1, "kept": True, "first_asked": None}
    assert (stored["alias"]["target"], stored["model"]) == ("small", "small-1")


def test_who_asks_for_log_probabilities_gets_them(system: System, provider: Scripted) -> None:
    point()
    provider.answers = [sure(-0.05)]
    body = system.ok("POST", CHAT, {**ASKED, "logprobs": True, "top_logprobs": 2})
    assert provider.asked == [{**REQUEST, "model": "small", "logprobs": True, "top_logprobs": 2}]
    assert body["choices"][0]["logprobs"]["content"][0]["logprob"] == -0.05


@pytest.mark.parametrize("stream", [False, True])
def test_an_unsure_answer_goes_to_the_teacher_and_both_calls_are_counted(
    stream: bool, system: System, provider: Scripted
) -> None:
    point()
    provider.answers = [sure(-0.2), dear()]
    code, body = system.call("POST", CHAT, {**ASKED, "store": True, "stream": stream})
    assert (code, "chatcmpl-big" in str(body), "chatcmpl-small" in str(body)) == (200, True, False)
    assert [(request["model"], request.get("logprobs")) for request in provider.asked] == [
        ("small", True),
        ("big", None),
    ]
    assert system.headers["x-stillhouse-cascade"] == "sent on; confidence=-0.2"
    assert "x-stillhouse-fallback" not in system.headers
    [stored] = listed(system, "?alias=quick")
    said = stored["alias"]["cascade"]
    first = said["first_asked"]
    assert (said["kept"], said["confidence"], stored["alias"]["target"], stored["model"]) == (
        False,
        -0.2,
        "small",
        "big-1",
    )
    assert (first["model"], first["prompt_tokens"], first["completion_tokens"]) == ("small-1", 7, 1)
    assert stored["latency_ms"] >= first["latency_ms"]
    by_model = {group["group"]["model"]: group for group in system.ok("GET", "/v1/usage")["data"]}
    assert (by_model["big-1"]["completions"], by_model["big-1"]["prompt_tokens"], by_model["big-1"]["unkept"]) == (
        1,
        9,
        0,
    )
    small = by_model["small-1"]
    assert (small["completions"], small["unkept"], small["prompt_tokens"], small["completion_tokens"]) == (0, 1, 7, 1)
    [together] = system.ok("GET", "/v1/usage?group_by=alias")["data"]
    assert (together["completions"], together["unkept"], together["prompt_tokens"]) == (1, 1, 16)


def test_the_usage_of_a_model_has_the_calls_that_it_was_asked_first(system: System, provider: Scripted) -> None:
    point()
    provider.answers = [sure(-0.2), dear(), sure(-0.05)]
    for _ in range(2):
        system.ok("POST", CHAT, {**ASKED, "store": True, "metadata": {"feature": "triage"}})
    assert len(listed(system)) == 2

    def used(query: str) -> list[tuple[str, int, int, int]]:
        groups = system.ok("GET", f"/v1/usage?{query}")["data"]
        return [(one["group"]["model"], one["completions"], one["unkept"], one["prompt_tokens"]) for one in groups]

    small = [("small-1", 1, 1, 14)]
    assert used("model=small-1") == used("model=small-1&alias=quick") == used("model=small-1&most=9") == small
    assert used("model=small-1&alias=quick@1&metadata[feature]=triage") == small
    assert used("model=big-1") == [("big-1", 1, 0, 9)], "what another model was asked first is none of its usage"
    assert used("model=small-1&alias=other") == used("model=small-1&created_before=1000") == []
    assert used("model_not=small-1") == [("big-1", 1, 0, 9)]
    changing.put("quick", Routing(targets=[Target(model="small")]), Said("test"))
    assert used("model=small-1") == small, "an earlier version had the cascade"
    system.ok("DELETE", "/v1/aliases/quick")
    assert used("model=small-1") == small


def test_an_exported_completion_keeps_it_where_it_is_pushed_again(system: System, provider: Scripted) -> None:
    point()
    provider.answers = [sure(-0.2), dear()]
    system.ok("POST", CHAT, {**ASKED, "store": True})
    [stored] = listed(system)
    [exported] = json.loads(f"[{system.call('GET', '/v1/exports/completions')[1].strip()}]")
    exported["response"]["id"] = "chatcmpl-again"
    assert system.ok("POST", "/v1/captures", exported)["accepted"] == 1
    again = next(one for one in listed(system) if one["id"] == "chatcmpl-again")
    assert again["alias"] == stored["alias"]
    exported["alias"]["cascade"]["confidence"] = "high"
    code, refusal = system.call("POST", "/v1/captures", exported)
    assert (code, refusal["error"]["param"]) == (400, "alias.cascade.confidence")


@pytest.mark.parametrize(
    ("first", "confidence"),
    [
        (answer(id="chatcmpl-small"), None),
        (sure(0.0, choices=[{**COMPLETION["choices"][0], "finish_reason": "length"}]), None),
        (AWAY, None),
        (Told(400, TROUBLE, {}), None),
    ],
)
def test_whoever_cannot_say_how_sure_it_is_is_not(
    first: Told, confidence: None, system: System, provider: Scripted
) -> None:
    point()
    provider.answers = [first, dear()]
    body = system.ok("POST", CHAT, {**ASKED, "store": True})
    assert (body["id"], system.headers["x-stillhouse-cascade"]) == ("chatcmpl-big", "sent on; confidence=unknown")
    [stored] = listed(system)
    assert stored["alias"]["cascade"]["confidence"] is confidence
    assert (stored["alias"]["cascade"]["first_asked"] is None) == (first.status != 200)


def test_where_the_teacher_is_away_the_fallback_answers_and_else_the_unsure_answer_stands_in(
    system: System, provider: Scripted
) -> None:
    point()
    provider.answers = [sure(-0.2), AWAY]
    body = system.ok("POST", CHAT, {**ASKED, "store": True})
    assert (body["id"], system.headers["x-stillhouse-cascade"]) == ("chatcmpl-small", "kept; confidence=-0.2")
    [stored] = listed(system)
    assert stored["alias"]["cascade"]["kept"] is True
    point(fallback="spare")
    provider.answers = [sure(-0.2), AWAY, answer(id="chatcmpl-spare")]
    assert system.ok("POST", CHAT, ASKED)["id"] == "chatcmpl-spare"
    assert system.headers["x-stillhouse-fallback"] == "spare"
    assert [request["model"] for request in provider.asked[-3:]] == ["small", "big", "spare"]


@pytest.mark.parametrize("named", ["big", "small"])
def test_who_is_asked_anyway_stands_in_for_nobody(named: str, system: System, provider: Scripted) -> None:
    point(fallback="spare")
    provider.answers = [sure(-0.2), AWAY, answer(id="chatcmpl-spare")]
    _, body = system.call("POST", CHAT, ASKED, headers={"x-stillhouse-fallback-model": named})
    assert body["id"] == "chatcmpl-spare"
    assert [request["model"] for request in provider.asked] == ["small", "big", "spare"]


def test_where_both_are_away_the_caller_hears_it_of_the_teacher(system: System, provider: Scripted) -> None:
    point()
    provider.answers = [AWAY]
    code, refusal = system.call("POST", CHAT, ASKED)
    assert (code, refusal["error"]["message"], system.headers["x-stillhouse-alias"]) == (503, "later", "quick@1")


def test_a_response_goes_the_same_way_whoever_has_the_responses_api(system: System, provider: Scripted) -> None:
    point()
    provider.answers = [sure(-0.05)]
    kept = system.ok("POST", "/v1/responses", {"model": "quick", "input": "hi"})
    assert provider.asked[-1]["logprobs"] is True
    assert system.headers["x-stillhouse-cascade"] == "kept; confidence=-0.05"
    assert kept["output"][0]["content"][0] == {
        "type": "output_text",
        "text": "billing",
        "annotations": [],
        "logprobs": [],
    }
    provider.answers = [sure(-0.2), dear()]
    sent = system.ok("POST", "/v1/responses", {"model": "quick", "input": "hi again"})
    assert (sent["model"], system.headers["x-stillhouse-cascade"]) == ("big-1", "sent on; confidence=-0.2")
    firsts = [one["alias"]["cascade"]["first_asked"] for one in listed(system)]
    assert sorted((first or {}).get("prompt_tokens") or 0 for first in firsts) == [0, 7]


def test_who_has_the_responses_api_is_asked_there_how_sure_it_is(system: System, provider: Scripted) -> None:
    point()
    provider.responses = [Told(200, b'{"id": "resp_1", "output": [], "status": "completed"}', {})]
    system.ok("POST", "/v1/responses", {"model": "quick", "input": "hi", "include": ["file_search_call.results"]})
    assert [asked.get("include") for asked in provider.asked] == [
        ["file_search_call.results", "message.output_text.logprobs"],
        ["file_search_call.results"],
    ]


@pytest.mark.parametrize("path", [CHAT, "/v1/responses"])
def test_by_the_own_url_it_is_decided_before_the_stream_begins(path: str, gateway: Lambda, provider: Scripted) -> None:
    point()
    provider.answers = [sure(-0.2), dear()]
    asked = {**ASKED, "stream": True} if path == CHAT else {"model": "quick", "input": "hi", "stream": True}
    headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
    answered = gateway.invoke(http_event("POST", path, json.dumps(asked).encode(), headers)).wait()
    assert answered.head["headers"]["x-stillhouse-cascade"] == "sent on; confidence=-0.2"
    body = answered.body()
    assert (b"big-1" in body, b"small-1" in body) == (True, False)
    assert not any("stream" in request for request in provider.asked)


def test_what_nobody_can_be_sure_of_goes_to_the_teacher_at_once(system: System, further: Further) -> None:
    others = further(alpha=["big", "small"])
    point()
    assert system.call("POST", "/v1/embeddings", {"model": "quick", "input": "x"})[0] == 200
    assert [request["model"] for request in others["alpha"].asked] == ["big"]


class Asks:
    """An Ask of a provider whose models say what a test gives; what is raised takes `SLOW_MS`. It notes its limits."""

    SLOW_MS = 30

    def __init__(self, **said: Answer | Exception) -> None:
        self.said = said
        self.limits: list[tuple[str, float, float | None]] = []

    async def __call__(self, request: dict[str, Any], *, deadline_s: float, retry_s: float | None = None) -> Answer:
        self.limits.append((request["model"], deadline_s, retry_s))
        said = self.said[request["model"]]
        if isinstance(said, Exception):
            await asyncio.sleep(self.SLOW_MS / 1000)
            raise said
        return said


def through_a_cascade(ask: Asks) -> Answered:
    api = Api(lambda request: request, of_completion, lambda answer, _: answer, lambda answer: answer.get("usage"))
    policy = Policy(store=False, metadata={}, fallback_model=None, cascade=Cascade.model_validate(BY))
    return loop.run(ask_any(ask, {"model": "small"}, policy, 10.0, api))


UNSURE = Answer(json.loads(sure(-0.2).body), 5)
DEAR = Answer(json.loads(dear().body), 7)
UNSAYABLE = ApiError("Unsupported 'tools[0]'.", code="unsupported_parameter", param="tools[0]")


def test_the_target_has_a_part_of_the_time_and_the_teacher_all_that_is_left() -> None:
    ask = Asks(small=UNSURE, big=DEAR)
    assert through_a_cascade(ask).answer.latency_ms == 12
    (_, first_s, retried_s), (_, then_s, _) = ask.limits
    assert (first_s, retried_s) == (4.0, 2.0)
    assert 6.0 < then_s <= 10.0


def test_what_a_target_cannot_be_asked_is_asked_of_its_teacher_and_its_time_counts() -> None:
    answered = through_a_cascade(Asks(small=UNSAYABLE, big=DEAR))
    assert answered.model == "big"
    assert answered.answer.latency_ms >= DEAR.latency_ms + Asks.SLOW_MS


def test_where_the_teacher_cannot_be_asked_the_unsure_answer_is_given() -> None:
    answered = through_a_cascade(Asks(small=UNSURE, big=UNSAYABLE))
    assert (answered.model, answered.answer.body["id"]) == ("small", "chatcmpl-small")
    with pytest.raises(ApiError):
        through_a_cascade(Asks(small=UNSAYABLE, big=UNSAYABLE))
