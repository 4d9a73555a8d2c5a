"""A stream is given on event by event, is begun with patience, and fails as a whole answer does."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest

from foundation import loop
from providers import Answer, Event, EventStream, NoResponses, ProviderAway, ProviderRefused
from providers.key import KnownKey
from providers.openai_compatible import OpenAICompatible
from tests.gateway.provider import COMPLETION, DONE, END, WORDS, Said, Scripted, Spoken, answer, served

REQUEST: dict[str, Any] = {"model": "m", "messages": []}
BUSY = Said(429, b'{"error": {"message": "busy"}}', {"retry-after": "0"})
UNKNOWN = Said(400, b'{"error": {"message": "Unknown field: stream_options"}}', {})

type Work[Got] = Callable[[OpenAICompatible], Coroutine[Any, Any, Got]]


def with_provider[Got](script: Scripted, work: Work[Got], *, responses: bool | None = None) -> Got:
    """What this work gives with a provider that speaks the script."""

    async def run(url: str) -> Got:
        provider = OpenAICompatible(base_url=url, key=KnownKey("k"), responses=responses)
        try:
            return await work(provider)
        finally:
            await provider.close()

    with served(script) as url:
        return loop.run(run(url))


async def begun(provider: OpenAICompatible, seconds: float = 10, **request: Any) -> EventStream:
    stream = await provider.stream({**REQUEST, **request}, deadline_s=seconds, ends=time.monotonic() + seconds)
    assert not isinstance(stream, Answer)
    return stream


async def rest(stream: EventStream) -> list[Event]:
    events = []
    while event := await stream.next():
        events.append(event)
    return events


async def whole(provider: OpenAICompatible, **request: Any) -> list[Event]:
    return await rest(await begun(provider, **request))


def test_the_first_event_is_there_before_the_provider_has_said_the_second() -> None:
    read = threading.Event()
    script = Scripted(Spoken(WORDS[0], read, *WORDS[1:], *END))

    async def work(provider: OpenAICompatible) -> list[Event]:
        stream = await begun(provider)
        first = await stream.next()
        assert first is not None
        assert not read.is_set()
        read.set()
        return [first, *await rest(stream)]

    events = with_provider(script, work)
    assert b"".join(b"data: %b\n\n" % event.data for event in events) == b"".join([*WORDS, *END])
    assert (events[-1], events[0].document) == (Event(b"[DONE]", None), Event.of(events[0].data).document)
    [asked] = script.asked
    assert (asked["stream"], asked["stream_options"]) == (True, {"include_usage": True})


def test_a_provider_that_is_away_is_asked_again_until_the_first_event_and_never_after() -> None:
    script = Scripted(BUSY, Spoken(*WORDS, Spoken.CUT), Spoken(*END))

    async def work(provider: OpenAICompatible) -> int:
        stream = await begun(provider)
        for _ in WORDS:
            assert await stream.next()
        with pytest.raises(ProviderAway) as away:
            await stream.next()
        return away.value.status

    assert with_provider(script, work) == 504
    assert len(script.asked) == 2


@pytest.mark.parametrize(
    ("said", "kind", "status"),
    [
        (Said(401, b'{"error": {}}', {}), ProviderRefused, 401),
        (Said(404, b'{"error": {"code": "model_not_found"}}', {}), ProviderRefused, 404),
        (Spoken(b'data: {"error": {"message": "no", "code": 400}}\n\n'), ProviderRefused, 400),
        (Spoken(b'data: {"error": {"message": "overloaded", "code": "busy"}}\n\n'), ProviderAway, 502),
        (Spoken(b'data: {"type": "error", "code": "server_error", "message": "no"}\n\n'), ProviderAway, 502),
        (Spoken(), ProviderAway, 502),
        (Spoken(b"<html>busy</html>"), ProviderAway, 502),
        (Spoken(Spoken.CUT), ProviderAway, 504),
    ],
)
def test_what_goes_wrong_before_the_first_event_is_a_refusal_with_its_status(
    said: Said | Spoken, kind: type[ProviderRefused], status: int
) -> None:
    async def work(provider: OpenAICompatible) -> ProviderRefused:
        with pytest.raises(ProviderRefused) as refused:
            await provider.stream(REQUEST, deadline_s=10, ends=time.monotonic() + 10, retry_s=0.01)
        return refused.value

    refusal = with_provider(Scripted(said), work)
    assert (isinstance(refusal, ProviderAway), refusal.status) == (kind is ProviderAway, status)


def test_a_stream_that_does_not_begin_in_time_is_away_and_one_that_has_begun_may_take_longer() -> None:
    never, late = threading.Event(), threading.Event()
    script = Scripted(Spoken(never, *WORDS), Spoken(WORDS[0], late, *END))

    async def work(provider: OpenAICompatible) -> list[Event]:
        ends = time.monotonic() + 20
        with pytest.raises(ProviderAway):
            await provider.stream(REQUEST, deadline_s=0.15, ends=ends)
        never.set()
        stream = await provider.stream(REQUEST, deadline_s=1.5, ends=ends)
        assert not isinstance(stream, Answer)
        threading.Timer(1.6, late.set).start()
        return await rest(stream)

    assert len(with_provider(script, work)) == 4


def test_a_stream_is_cut_at_its_end_of_time() -> None:
    never = threading.Event()

    async def work(provider: OpenAICompatible) -> None:
        stream = await begun(provider, seconds=1.5)
        assert await stream.next()
        with pytest.raises(ProviderAway):
            await stream.next()
        never.set()

    with_provider(Scripted(Spoken(WORDS[0], never, *END)), work)


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "text/event-stream", ""])
def test_a_server_without_streams_gives_the_whole_answer_whatever_it_calls_it(kind: str) -> None:
    """It is not asked again: the answer was paid for."""

    async def work(provider: OpenAICompatible) -> EventStream | Answer:
        return await provider.stream(REQUEST, deadline_s=10, ends=time.monotonic() + 10)

    body = json.dumps(COMPLETION, indent=1).encode()
    script = Scripted(Said(200, body, {"content-type": kind} if kind else {}))
    given = with_provider(script, work)
    assert isinstance(given, Answer)
    assert given.body == COMPLETION
    assert len(script.asked) == 1


def test_a_server_that_knows_no_stream_options_is_asked_without_and_remembered() -> None:
    script = Scripted(UNKNOWN, Spoken(*WORDS, DONE))

    async def work(provider: OpenAICompatible) -> int:
        return len(await whole(provider) + await whole(provider))

    assert with_provider(script, work) == 8
    assert [asked.get("stream_options") for asked in script.asked] == [{"include_usage": True}, None, None]


def test_stream_options_of_the_caller_are_kept_and_their_refusal_is_the_caller_s() -> None:
    script = Scripted(UNKNOWN)

    async def work(provider: OpenAICompatible) -> None:
        with pytest.raises(ProviderRefused):
            await whole(provider, stream_options={"include_obfuscation": False})

    with_provider(script, work)
    [asked] = script.asked
    assert asked["stream_options"] == {"include_obfuscation": False, "include_usage": True}


def test_a_stream_of_the_responses_api_is_begun_where_there_is_one() -> None:
    script = Scripted(answer())
    script.responses = [Spoken(b'data: {"type": "response.created", "response": {}}\n\n')]

    async def work(provider: OpenAICompatible) -> int:
        stream = await provider.stream_response({"model": "m"}, deadline_s=10, ends=time.monotonic() + 10)
        assert not isinstance(stream, Answer)
        return len(await rest(stream))

    assert with_provider(script, work) == 1
    script.responses = []
    with pytest.raises(NoResponses):
        with_provider(script, work)
    with pytest.raises(NoResponses):
        with_provider(script, work, responses=False)


@pytest.mark.parametrize(("ends", "connections"), [(True, 1), (False, 2)])
def test_a_connection_serves_the_next_stream_where_the_last_one_has_ended(ends: bool, connections: int) -> None:
    """A provider that holds a stream open after its last event is not waited for."""
    opened = 0

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                await reader.readexactly(int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]))
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
                )
                writer.write(b"%x\r\n%b\r\n" % (len(DONE), DONE) + (b"0\r\n\r\n" if ends else b""))
        writer.close()

    async def run() -> int:
        async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            provider = OpenAICompatible(base_url=f"http://127.0.0.1:{port}", key=KnownKey("k"))
            for _ in range(2):
                stream = await begun(provider)
                assert await stream.next() == Event(b"[DONE]", None)
                async with asyncio.timeout(5):
                    await stream.end()
                assert await stream.next() is None
                stream.close()
            await provider.close()
        return opened

    assert loop.run(run()) == connections


def test_what_is_read_no_further_leaves_the_provider_usable() -> None:
    async def work(provider: OpenAICompatible) -> int:
        stream = await begun(provider)
        await stream.next()
        stream.close()
        assert await stream.next() is None
        return len(await whole(provider))

    assert with_provider(Scripted(Spoken(*WORDS, *END)), work) == 6
