import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import orjson
import pytest
from aiohttp import web

from providers import NoResponses, ProviderAway, ProviderRefused
from providers.key import KnownKey
from providers.openai_compatible import OpenAICompatible

REQUEST = {"model": "lab-small", "messages": [{"role": "user", "content": "Hello."}]}
ANSWER = {"id": "chatcmpl-1", "choices": []}


class Loop:
    """An event loop in a thread of its own: the server's, so that the client's is the test's."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    async def _cancel(self):
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def stop(self):
        self.run(self._cancel())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        self.loop.close()


class Server:
    """Gives one prepared answer after another, then the last for ever; keeps what it was asked, and when."""

    def __init__(self):
        self.answers: list[Callable[[], Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.times: list[float] = []

    async def handle(self, request):
        self.times.append(time.monotonic())
        body = await request.read()
        self.asked.append(
            {
                "method": request.method,
                "path": request.raw_path,
                "headers": dict(request.headers),
                "body": orjson.loads(body) if body else None,
            }
        )
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        return await answer(request)

    def will(self, *answers):
        self.answers = list(answers)


def says(status=200, body=ANSWER, **headers):
    async def answer(_):
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        text = body if isinstance(body, bytes) else orjson.dumps(body)
        return web.Response(status=status, body=text, headers=sent, content_type="application/json")

    return answer


def sleeps(seconds):
    async def answer(_):
        await asyncio.sleep(seconds)
        return web.Response(body=orjson.dumps(ANSWER))

    return answer


async def breaks_off(request):
    """The connection ends in the middle of the answer."""
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b'{"id":')
    request.transport.close()
    return response


async def hangs_up(request):
    request.transport.close()
    return web.Response()


@pytest.fixture(scope="module")
def served():
    loop, server = Loop(), Server()

    async def start():
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", server.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner

    runner = loop.run(start())
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield server
    loop.run(runner.cleanup())
    loop.stop()


@pytest.fixture
def server(served):
    served.asked.clear()
    served.times.clear()
    return served


def using(url, work, *, api_key="sk-1"):
    """What `work` gives with a provider at this URL."""

    async def with_provider():
        provider = OpenAICompatible(base_url=url, key=KnownKey(api_key))
        try:
            return await work(provider)
        finally:
            await provider.close()

    return asyncio.run(with_provider())


def complete(url, *, deadline_s=10.0, retry_s=None, **how):
    return using(url, lambda provider: provider.complete(REQUEST, deadline_s=deadline_s, retry_s=retry_s), **how)


def refused(url, kind, **how):
    started = time.monotonic()
    with pytest.raises(ProviderRefused) as refusal:
        complete(url, **how)
    assert kind is (ProviderAway if isinstance(refusal.value, ProviderAway) else type(refusal.value))
    return refusal.value, time.monotonic() - started


# ---------------------------------------------------------------- the real lab


def order(lab, **fault):
    assert httpx.post(f"{lab}/lab/faults", json={"path": "/chat/completions", **fault}).status_code == 200


def test_the_lab_answers(lab_server):
    answer = complete(f"{lab_server}/v1")
    assert answer.body["object"] == "chat.completion"
    assert answer.body["choices"][0]["message"]["content"]


@pytest.mark.parametrize("status", [429, 500])
def test_faults_of_the_lab_are_got_over(lab_server, status):
    order(lab_server, status=status, times=2)
    assert complete(f"{lab_server}/v1").body["choices"]


def test_an_unknown_model_of_the_lab(lab_server):
    def ask(provider):
        return provider.complete({**REQUEST, "model": "no-such"}, deadline_s=5)

    with pytest.raises(ProviderRefused) as refusal:
        using(f"{lab_server}/v1", ask)
    assert refusal.value.status == 404
    assert orjson.loads(refusal.value.body)["error"]["code"] == "model_not_found"


def test_models_of_the_lab(lab_server):
    url = f"{lab_server}/v1"
    assert "lab-small" in [model["id"] for model in using(url, lambda provider: provider.list_models())]
    assert using(url, lambda provider: provider.find_model("lab-small"))["id"] == "lab-small"
    assert using(url, lambda provider: provider.find_model("no-such")) is None
    assert using(url, lambda provider: provider.find_model("ft:lab-small:lab:a/b:job")) is None


@pytest.mark.parametrize(
    ("answer", "names"), [({"data": [1, {"id": "m"}, {"id": 3}, {}]}, ["m"]), ({}, []), ({"data": 3}, [])]
)
def test_an_odd_list_of_models_has_those_that_have_a_name(server, answer, names):
    server.will(says(body=answer))
    assert [model["id"] for model in using(server.url, lambda provider: provider.list_models())] == names


# ---------------------------------------------------------------- what is sent


def test_the_request_goes_out_as_it_is(server):
    server.will(says())
    assert complete(f"{server.url}/").body == ANSWER
    (asked,) = server.asked
    assert (asked["method"], asked["path"], asked["body"]) == ("POST", "/v1/chat/completions", REQUEST)
    assert asked["headers"]["Authorization"] == "Bearer sk-1"
    assert asked["headers"]["Content-Type"] == "application/json"


def test_an_embedding_is_asked_for_and_asked_for_again(server):
    request = {"model": "embedder", "input": ["a", "b"]}
    server.will(says(503), says(body={"data": []}))
    answer = using(server.url, lambda provider: provider.embed(request, deadline_s=10))
    assert answer.body == {"data": []}
    assert [(asked["method"], asked["path"]) for asked in server.asked] == [("POST", "/v1/embeddings")] * 2
    assert server.asked[0]["body"] == request


def test_without_a_key_none_is_sent(server):
    server.will(says())
    complete(server.url, api_key="")
    assert "Authorization" not in server.asked[0]["headers"]


def test_a_model_s_name_is_one_step_of_the_path(server):
    server.will(says(404, {}))
    assert using(server.url, lambda provider: provider.find_model("ft:a/b:c d?")) is None
    assert server.asked[0]["path"] == "/v1/models/ft:a%2Fb:c%20d%3F"


def test_a_model_that_may_not_be_looked_up_is_not_taken_for_missing(server):
    server.will(says(403, {}))
    with pytest.raises(ProviderRefused):
        using(server.url, lambda provider: provider.find_model("x"))


def test_one_connection_serves_many_calls_and_the_time_of_each_is_told(server):
    server.will(sleeps(0.15), says())

    async def ask_twice(provider):
        first = await provider.complete(REQUEST, deadline_s=5)
        session = provider._session
        second = await provider.complete(REQUEST, deadline_s=5)
        assert provider._session is session
        return first, second

    first, second = using(server.url, ask_twice)
    assert 140 <= first.latency_ms < 1_500
    assert second.latency_ms < first.latency_ms


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_a_refusal_is_passed_on_at_once(server, status):
    body = {"error": {"message": "no", "code": "c"}}
    server.will(says(status, body, x_request_id="req_1", set_cookie="private=1"))
    refusal, _ = refused(server.url, ProviderRefused)
    assert (refusal.status, orjson.loads(refusal.body)) == (status, body)
    assert refusal.headers["x-request-id"] == "req_1"
    assert "set-cookie" not in {name.lower() for name in refusal.headers}
    assert len(server.asked) == 1


@pytest.mark.parametrize("away", [says(408), says(409), says(429), says(500), says(503), breaks_off, hangs_up])
def test_a_provider_that_is_away_is_asked_again(server, away):
    server.will(away, says())
    assert complete(server.url).body == ANSWER
    assert len(server.asked) == 2


@pytest.mark.parametrize("body", [b'{"choices": [', b"[]", b'{"a": ' * 400, b'{"id": "a"} {"id": "b"}'])
def test_json_that_nobody_can_read_is_not_asked_for_again(server, body):
    server.will(says(body=body), says())
    away, _ = refused(server.url, ProviderAway)
    assert (away.status, away.final, len(server.asked)) == (502, True, 1)


def test_what_pythons_json_takes_is_an_answer(server):
    server.will(says(body=b'\xef\xbb\xbf{"logprob": -Infinity, "content": "cut \\ud83d"}'))
    assert complete(server.url).body == {"logprob": None, "content": "cut \N{REPLACEMENT CHARACTER}"}
    assert len(server.asked) == 1


def test_an_answer_that_is_no_json_is_no_answer(server):
    server.will(says(body=b"<html>"), says())
    assert complete(server.url).body == ANSWER
    server.will(says(body=b"<html>"))
    away, _ = refused(server.url, ProviderAway, deadline_s=0.3)
    assert away.status == 502


# ---------------------------------------------------------------- waiting


@pytest.mark.parametrize(("header", "value", "least"), [("retry_after", "1", 1.0), ("retry_after_ms", "600", 0.6)])
def test_the_provider_s_own_wait_is_honoured(server, header, value, least):
    server.will(says(429, {}, **{header: value}), says())
    complete(server.url)
    waited = server.times[1] - server.times[0]
    assert least <= waited < least + 0.9


def test_the_latency_is_that_of_the_call_and_not_of_the_waiting(server):
    server.will(says(429, {}, retry_after_ms="500"), says())
    assert complete(server.url).latency_ms < 400


def test_a_wait_beyond_the_deadline_is_not_begun(server):
    server.will(says(429, {"error": {"message": "slow down"}}, retry_after="30"))
    away, took = refused(server.url, ProviderAway, deadline_s=2)
    assert took < 1
    assert (away.status, away.retry_after, away.headers["retry-after"]) == (429, 30.0, "30")
    assert len(server.asked) == 1


@pytest.mark.parametrize("value", ["0", "-5"])
def test_a_provider_that_asks_for_no_wait_is_not_stormed(server, value):
    server.will(says(429, {}, retry_after=value))
    refused(server.url, ProviderAway, deadline_s=0.5)
    assert 2 <= len(server.asked) <= 6


def test_a_date_as_wait_is_answered_with_our_own(server):
    server.will(says(503, {}, retry_after="Wed, 21 Oct 2026 07:28:00 GMT"), says())
    assert complete(server.url).body == ANSWER


@pytest.mark.parametrize("away", [says(500, {}), says(429, {}, retry_after_ms="200"), hangs_up])
def test_the_deadline_is_kept_while_the_provider_stays_away(server, away):
    server.will(away)
    _, took = refused(server.url, ProviderAway, deadline_s=1.0)
    assert took < 1.7
    assert 2 <= len(server.asked) <= 8


@pytest.mark.parametrize(
    ("value", "wait"), [("31536000", 900.0), ("inf", None), ("-5", 0.0), ("nan", None), ("soon", None)]
)
def test_a_wait_beyond_reason_stops_nobody(server, value, wait):
    server.will(says(429, {}, retry_after=value))
    with pytest.raises(ProviderAway) as away:
        complete(server.url, retry_s=0.01)
    assert away.value.retry_after == wait


def test_a_provider_that_says_no_retry_is_asked_once(server):
    server.will(says(503, {}, x_should_retry="false"), says())
    away, took = refused(server.url, ProviderAway)
    assert (away.final, away.headers["x-should-retry"]) == (True, "false")
    assert took < 1
    assert len(server.asked) == 1


def test_asking_again_may_end_before_the_deadline(server):
    server.will(says(500, {}))
    away, took = refused(server.url, ProviderAway, deadline_s=10, retry_s=0.5)
    assert (away.status, took < 1) == (500, True)
    assert len(server.asked) >= 2


def test_an_answer_may_take_longer_than_asking_again(server):
    server.will(sleeps(0.6))
    assert complete(server.url, retry_s=0.2).body == ANSWER


def test_pauses_grow(server):
    server.will(says(500, {}))
    refused(server.url, ProviderAway, deadline_s=2.5)
    gaps = [later - earlier for earlier, later in zip(server.times, server.times[1:], strict=False)]
    assert gaps[-1] > gaps[0]
    assert len(server.asked) <= 5


def test_no_answer_in_time_is_a_provider_away(server):
    server.will(sleeps(5))
    away, took = refused(server.url, ProviderAway, deadline_s=0.4)
    assert took < 1.2
    assert away.status == 504
    assert "did not answer" in orjson.loads(away.body)["error"]["message"]


def test_nobody_there_is_a_provider_away():
    away, took = refused("http://127.0.0.1:9/v1", ProviderAway, deadline_s=0.4)
    assert away.status == 504
    assert took < 1.2


# ---------------------------------------------------------------- the Responses API


NO_ROUTE = {"error": {"message": "Not Found"}}


def respond(provider):
    return provider.respond({"model": "m", "input": "Hi"}, deadline_s=5.0)


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_provider_without_the_responses_api_says_so_until_it_is_confirmed(server, status):
    server.will(says(status, NO_ROUTE, x_should_retry="false"))

    async def work(provider):
        for _ in range(2):
            with pytest.raises(NoResponses) as missing:
                await respond(provider)
        missing.value.confirm()
        with pytest.raises(NoResponses):
            await respond(provider)

    using(server.url, work)
    assert [asked["path"] for asked in server.asked] == ["/v1/responses"] * 2


def test_a_404_of_a_provider_that_has_answered_a_response_is_about_the_model(server):
    server.will(says(200, {"object": "response"}), says(404, NO_ROUTE))

    async def work(provider):
        assert (await respond(provider)).body == {"object": "response"}
        with pytest.raises(ProviderRefused) as refused:
            await respond(provider)
        assert not isinstance(refused.value, NoResponses)

    using(server.url, work)


def test_a_connection_that_was_closed_between_two_calls_costs_no_call():
    """Servers close what is idle for seconds, and nobody looks at the socket while a function waits for its event."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    connections = []

    async def serve(reader, writer):
        connections.append(writer)
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r")[0]))
        writer.write(answer)
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.close()

    async def passed_on():
        return (await provider.pass_on("/embeddings", b"{}", "application/json", deadline_s=5)).body

    server = Loop()
    listening = server.run(asyncio.start_server(serve, "127.0.0.1", 0))
    provider = OpenAICompatible(base_url=f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", key=KnownKey())
    with asyncio.Runner() as calls:
        assert calls.run(passed_on()) == b"{}"
        time.sleep(0.3)
        assert calls.run(passed_on()) == b"{}"
        calls.run(provider.close())
    assert len(connections) == 2
    server.loop.call_soon_threadsafe(listening.close)
    server.stop()
