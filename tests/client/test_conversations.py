"""A response that goes on from another one is asked where that was made, whatever the weights have become since."""

from __future__ import annotations

import asyncio
import itertools
import json
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI

from stillhouse.capturing import conversations
from tests.client.doubles import alias, place

DOWN = (503, "application/json", [b'{"error": {"message": "down"}}'])
_NUMBERS = itertools.count()


def says(asked: dict[str, Any]) -> tuple[int, str, list[bytes]]:
    whole = {
        "id": f"resp_{next(_NUMBERS)}",
        "object": "response",
        "created_at": 1,
        "model": asked["model"],
        "status": "completed",
        "output": [],
        "tools": [],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
    }
    if not asked.get("stream"):
        return 200, "application/json", [json.dumps(whole).encode()]
    kinds = ("created", "completed")
    events = [json.dumps({"type": f"response.{kind}", "sequence_number": 0, "response": whole}) for kind in kinds]
    events.insert(0, '{"type": "keepalive", "sequence_number": 0}')
    return 200, "text/event-stream", [f"event: x\r\ndata: {event}\r\n\r\n".encode() for event in events]


@pytest.fixture
def aliased(wrap, provider, stillhouse):
    provider.say = says

    def wrapped(told, kind=OpenAI, /):
        stillhouse.aliases["quick"] = told
        client = wrap(kind, aliases={"quick": "spare"}, alias_ttl=0.05)
        changed(client, told, stillhouse)
        return client

    return wrapped


def changed(client, told, stillhouse):
    """The alias as it is from now on, once the client knows it."""
    stillhouse.aliases["quick"] = told
    vars(client)["_recorder"].ways._aliases._ask().join(5)


def both(url, first=1, second=1, **fields):
    return alias(("a", url, {"weight": first}), ("b", url, {"weight": second}), **fields)


def created(client, input_, **request):
    """The id of a response, which is streamed where that is asked for, and read to its end."""
    answer = client.responses.create(model="quick", input=input_, **request)
    if not request.get("stream"):
        return answer.id
    *_, last = answer
    return last.response.id


def models(provider):
    return [asked["model"] for asked in provider.asked]


@pytest.mark.parametrize("request_", [{}, {"stream": True}, {"store": False}], ids=str)
def test_a_conversation_stays_where_it_began(request_, aliased, provider, provider_url, stillhouse):
    """What is asked next begins with other words, and was chosen anew."""
    client = aliased(both(provider_url))
    first = [created(client, f"conversation {number}", **request_) for number in range(12)]
    began = models(provider)
    assert set(began) == {"a", "b"}
    changed(client, both(provider_url, 1, 99), stillhouse)
    for _ in range(2):
        provider.asked.clear()
        first = [created(client, "go on", previous_response_id=previous, **request_) for previous in first]
        assert models(provider) == began


def test_async_conversations_stay_too(aliased, provider, provider_url):
    client = aliased(both(provider_url), AsyncOpenAI)

    async def talk(number):
        first = await client.responses.create(model="quick", input=f"conversation {number}")
        await client.responses.create(model="quick", input="go on", previous_response_id=first.id)
        return [asked["model"] for asked in provider.asked[-2:]]

    async def run():
        return [await talk(number) for number in range(8)]

    pairs = asyncio.run(run())
    assert all(first == second for first, second in pairs)
    assert {first for first, _ in pairs} == {"a", "b"}


def test_a_target_that_answers_no_more_is_left(aliased, provider, provider_url, stillhouse):
    client = aliased(both(provider_url, 1, 0))
    first = created(client, "hi")
    changed(client, both(provider_url, 0, 1), stillhouse)
    created(client, "go on", previous_response_id=first)
    assert models(provider) == ["a", "b"]


def test_where_the_fallback_answered_nobody_is_remembered(aliased, provider, provider_url):
    provider.say = lambda asked: DOWN if asked["model"] == "a" else says(asked)
    told = alias(("a", provider_url, {}), fallback=place("b", provider_url))
    client = aliased(told)
    first = created(client, "hi")
    provider.say = says
    created(client, "go on", previous_response_id=first)
    assert models(provider)[-1] == "a"


def test_a_stream_that_is_left_before_its_first_event_is_no_trouble(aliased, provider, provider_url, caplog):
    provider.say = lambda _: (200, "text/event-stream", [b"data: {"])
    client = aliased(both(provider_url))
    with client.responses.create(model="quick", input="hi", stream=True, store=False) as stream:
        stream.response.read()
    assert [record.message for record in caplog.records if "captured" in record.message] == []


def test_the_newest_are_remembered(aliased, provider_url, monkeypatch):
    monkeypatch.setattr(conversations, "MOST", 3)
    client = aliased(both(provider_url))
    for number in range(9):
        created(client, f"conversation {number}")
    assert len(vars(client)["_recorder"].ways._conversations._targets) == 3
