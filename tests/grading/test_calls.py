"""Paid calls: stored while the work goes on, taken over by the next delivery, shared by identical requests."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from foundation import blobs
from foundation.loop import run
from grading import calls
from grading.calls import Calls, opened
from providers import Answer, OverLimit, ProviderAway, ProviderRefused
from tests.flow.system import System
from tests.grading.build import Counting, asked_for

PREFIX = "runs/evalrun_1/calls/000000/"


def request(text: str, **fields: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": text}], **fields}


def ask(provider: Counting, *requests: dict[str, Any]) -> list[str]:
    async def work() -> list[str]:
        open_calls = Calls(PREFIX, provider, 10)
        async with opened(open_calls):
            answers = await asyncio.gather(*(open_calls.complete(request) for request in requests))
            return [answer.body["choices"][0]["message"]["content"] for answer in answers]

    return run(work())


def test_answers_outlive_their_delivery(system: System) -> None:
    provider = Counting(lambda asked: f"re {asked_for(asked)}")
    assert ask(provider, request("a"), request("b")) == ["re a", "re b"]
    assert len(list(blobs.keys(PREFIX))) == 1
    later = Counting(lambda asked: f"new {asked_for(asked)}")
    assert ask(later, request("b"), request("c"), request("a")) == ["re b", "new c", "re a"]
    assert [asked_for(request) for request in later.asked] == ["c"]
    assert system.dead("GRADE") == []


def test_the_order_of_fields_makes_no_other_request_but_a_parameter_does(system: System) -> None:
    assert system
    provider = Counting()
    turned = dict(reversed(request("a").items()))
    ask(provider, request("a"), turned, request("a", temperature=1))
    assert len(provider.asked) == 2


def test_answers_are_stored_when_the_work_ends_in_an_error(system: System) -> None:
    assert system
    provider = Counting(lambda asked: None if asked_for(asked) == "b" else "yes")
    with pytest.raises(ProviderAway):
        ask(provider, request("a"), request("b"))
    later = Counting()
    ask(later, request("a"), request("b"))
    assert [asked_for(request) for request in later.asked] == ["b"]


def test_answers_are_stored_while_the_work_goes_on(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    assert system
    monkeypatch.setattr(calls, "_STORE_EVERY_S", 0.0)
    stored: list[int] = []

    def say(_: dict[str, Any]) -> str:
        stored.append(len(list(blobs.keys(PREFIX))))
        return "yes"

    async def work() -> None:
        open_calls = Calls(PREFIX, Counting(say), 10)
        async with opened(open_calls):
            for text in ("a", "b", "c"):
                await open_calls.complete(request(text))

    run(work())
    assert stored == [0, 1, 2]


def test_chunks_do_not_share_their_calls(system: System) -> None:
    assert system
    provider = Counting()
    ask(provider, request("a"))

    async def other() -> None:
        open_calls = Calls("runs/evalrun_1/calls/000001/", provider, 10)
        async with opened(open_calls):
            await open_calls.complete(request("a"))

    run(other())
    assert len(provider.asked) == 2


@pytest.mark.usefixtures("system")
@pytest.mark.parametrize("body", [{"error": {"message": "x"}}, {"choices": []}, {"choices": [{}]}, [1]])
def test_an_answer_without_a_message_is_refused_and_not_kept(body: Any) -> None:
    class Empty(Counting):
        async def complete(self, request: dict[str, Any], **_: Any) -> Answer:
            self.asked.append(request)
            return Answer(body, 5)

    with pytest.raises(ProviderRefused, match="502"):
        ask(Empty(), request("a"))
    assert not list(blobs.keys(PREFIX))


@pytest.mark.usefixtures("system")
def test_a_call_for_which_too_little_time_is_left_is_not_begun() -> None:
    class Slow(Counting):
        async def complete(self, request: dict[str, Any], **until: Any) -> Answer:
            answer = await super().complete(request, **until)
            await asyncio.sleep(0.05)
            return answer._replace(latency_ms=60_000)

    provider = Slow()
    with pytest.raises(OverLimit):
        ask(provider, *(request(str(number)) for number in range(60)))
    assert len(provider.asked) == 50
    assert ask(Counting(), request("0")) == ["yes"]
