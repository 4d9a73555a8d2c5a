"""Calls by an alias's name: chosen here as the gateway chooses, changed within the TTL, never failing meanwhile."""

import asyncio
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from openai import AsyncOpenAI, InternalServerError, OpenAI

from stillhouse import capture
from stillhouse.capturing.aliases import Aliases
from stillhouse.capturing.choosing import Caller, choose
from stillhouse.capturing.counts import Tally
from stillhouse.capturing.endpoint import Away
from tests.client.doubles import Provider, alias, completion, place, served

ASK = {"model": "quick", "messages": [{"role": "user", "content": "hi"}]}
CASES = json.loads((Path(__file__).parents[1] / "data" / "alias_choices.json").read_text())
DOWN = (503, "application/json", [b'{"error": {"message": "down"}}'])


@pytest.fixture
def aliased(wrap, stillhouse, provider_url):
    """Wraps a client for which the alias `quick` says this."""

    def wrapped(kind=OpenAI, /, *, says=None, **options):
        stillhouse.aliases["quick"] = says or alias(("there", provider_url, {}))
        client = wrap(kind, aliases={"quick": "spare"}, alias_ttl=0.05, **options)
        vars(client)["_recorder"].ways._aliases._ask().join(5)
        return client

    return wrapped


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_choice_is_the_gateways(case):
    routing = {**case["routing"], "salt": case["salt"]}
    caller = Caller(case["request"], case["request"]["messages"], case["metadata"], case["headers"])
    assert choose(routing, caller)["model"] == case["target"]


def test_the_target_is_asked_without_a_hop_and_the_capture_says_so(aliased, provider, stillhouse):
    client = aliased()
    client.chat.completions.create(**ASK, store=True)
    assert client.stillhouse.flush(10)
    assert [asked["model"] for asked in provider.asked] == ["there"]
    [record] = stillhouse.records
    assert record["alias"] == {"name": "quick", "version": 1, "target": "of-there"}
    assert record["request"]["model"] == "of-there"


def test_a_named_model_is_never_rerouted(aliased, provider, stillhouse):
    client = aliased()
    client.chat.completions.create(**{**ASK, "model": "other"}, store=True)
    assert client.stillhouse.flush(10)
    assert provider.asked[0]["model"] == "other"
    assert "alias" not in stillhouse.records[0]


def test_a_stream_is_the_providers_own(aliased, provider, stillhouse):
    client = aliased()
    text = "".join(
        chunk.choices[0].delta.content or "" for chunk in client.chat.completions.create(**ASK, stream=True, store=True)
    )
    assert (text, provider.asked[0]["model"]) == ("hello", "there")
    assert client.stillhouse.flush(10)
    assert stillhouse.records[0]["alias"]["version"] == 1


def test_a_slice_and_a_session_choose(aliased, provider, provider_url):
    told = alias(
        ("a", provider_url, {}),
        ("b", provider_url, {}),
        ("refunds", provider_url, {"when": {"topic": "refund"}}),
        sticky_by={"header": "X-Session", "metadata": None},
    )
    client = aliased(says=told)
    client.chat.completions.create(**ASK, metadata={"topic": "refund"})
    assert provider.asked.pop()["model"] == "refunds"
    for number in range(20):
        client.chat.completions.create(**ASK, user=f"u{number}", extra_headers={"X-Session": "one"})
    assert len({asked["model"] for asked in provider.asked}) == 1


def test_a_target_elsewhere_is_asked_by_the_client_for_it_or_through_the_gateway(aliased, provider, stillhouse):
    elsewhere = Provider()
    with served(elsewhere) as url:
        told = alias(("other", "https://other.example/v1", {}))
        given = OpenAI(base_url=url, api_key="k", max_retries=0)
        aliased(says=told, clients={"other": given}).chat.completions.create(**ASK)
        given.close()
    assert [asked["model"] for asked in elsewhere.asked] == ["other"]
    client = aliased(says=told)
    client.chat.completions.create(**ASK, store=True)
    assert client.stillhouse.flush(10)
    assert stillhouse.asked == [{**ASK, "model": "of-other", "store": False}]
    assert stillhouse.records[-1]["alias"]["target"] == "of-other"
    assert provider.asked == []


def test_a_client_that_was_given_for_a_provider_comes_before_one_at_the_same_url(aliased, provider, provider_url):
    """Two providers may answer at one URL, for two keys."""
    elsewhere = Provider()
    with served(elsewhere) as url:
        given = OpenAI(base_url=url, api_key="k", max_retries=0)
        aliased(says=alias(("other", provider_url, {})), clients={"other": given}).chat.completions.create(**ASK)
        given.close()
    assert ([asked["model"] for asked in elsewhere.asked], provider.asked) == (["other"], [])


def test_the_gateway_is_waited_for_and_asked_again_as_the_application_has_said_of_its_client(
    aliased, stillhouse, monkeypatch
):
    answer, waits = stillhouse.answer, []

    def down(method, path, body, headers):
        if path != "/v1/chat/completions":
            return answer(method, path, body, headers)
        waits.append(headers["x-stainless-read-timeout"])
        return DOWN

    monkeypatch.setattr(stillhouse, "answer", down)
    client = aliased(says=alias(("other", "https://other.example/v1", {})))
    with pytest.raises(InternalServerError):
        client.with_options(timeout=7).chat.completions.create(**ASK)
    with pytest.raises(InternalServerError):
        client.chat.completions.create(**ASK, timeout=3)
    assert waits == ["7", "3"]


def test_a_target_that_nobody_serves_is_stood_in_for(aliased, provider, provider_url, stillhouse):
    told = alias(("gone", None, {"provider": None}), fallback=place("back", provider_url))
    client = aliased(says=told)
    client.chat.completions.create(**ASK, store=True)
    assert client.stillhouse.flush(10)
    assert [asked["model"] for asked in provider.asked] == ["back"]
    assert stillhouse.records[0]["alias"]["target"] == "of-gone"
    assert stillhouse.asked == []


def test_the_fallback_is_asked_where_the_candidates_provider_is_down(aliased, provider, provider_url, stillhouse):
    told = alias(("there", provider_url, {}), fallback=place("back", provider_url))
    client = aliased(says=told)
    provider.say = lambda asked: (
        DOWN if asked["model"] == "there" else (200, "application/json", [json.dumps(completion()).encode()])
    )
    assert client.chat.completions.create(**ASK, store=True).choices[0].message.content == "hello"
    assert client.stillhouse.flush(10)
    [record] = stillhouse.records
    assert (record["request"]["model"], record["alias"]["target"]) == ("of-back", "of-there")
    provider.say = lambda _: DOWN
    with pytest.raises(InternalServerError):
        client.chat.completions.create(**ASK, stream=True)
    assert [asked["model"] for asked in provider.asked][-2:] == ["there", "back"]


def test_a_provider_that_cannot_be_reached_is_stood_in_for(aliased, nowhere, provider_url, provider):
    given = OpenAI(base_url=nowhere, api_key="k", max_retries=0)
    told = alias(("other", nowhere, {}), fallback=place("back", provider_url))
    aliased(says=told, clients={"other": given}).chat.completions.create(**ASK)
    assert [asked["model"] for asked in provider.asked] == ["back"]
    given.close()


def test_calls_go_on_with_stillhouse_stopped_and_with_the_candidates_provider_down(
    aliased, provider, provider_url, stillhouse
):
    told = alias(("there", provider_url, {}), fallback=place("back", provider_url))
    with served(stillhouse) as url:
        client = aliased(says=told, base_url=url)
        client.chat.completions.create(**ASK)
    provider.say = lambda asked: (
        DOWN if asked["model"] == "there" else (200, "application/json", [json.dumps(completion()).encode()])
    )
    for _ in range(4):
        threading.Event().wait(0.06)  # longer than the TTL: each call looks for news, and there are none
        assert client.chat.completions.create(**ASK).choices[0].message.content == "hello"
    assert [asked["model"] for asked in provider.asked] == ["there", *["there", "back"] * 4]


def test_async_calls_go_the_same_ways(aliased, provider, provider_url, stillhouse):
    client = aliased(AsyncOpenAI, says=alias(("there", provider_url, {}), fallback=place("back", provider_url)))
    provider.say = lambda asked: (
        DOWN if asked["model"] == "there" else (200, "application/json", [json.dumps(completion()).encode()])
    )

    async def use():
        await client.chat.completions.create(**ASK, store=True)
        await client.responses.with_raw_response.create(model="quick", input="hi", store=False)
        assert await client.stillhouse.aflush(10)
        await client.close()

    asyncio.run(use())
    assert [asked["model"] for asked in provider.asked] == ["there", "back"] * 2
    assert stillhouse.records[0]["alias"]["target"] == "of-there"


def test_before_anything_is_known_the_named_model_answers(wrap, nowhere, provider, caplog):
    caplog.set_level(logging.WARNING, "stillhouse")
    client = wrap(base_url=nowhere, aliases={"quick": "spare"})
    for _ in range(3):
        client.chat.completions.create(**ASK)
    assert [asked["model"] for asked in provider.asked] == ["spare"] * 3
    assert sum("aliases cannot be read" in record.message for record in caplog.records) == 1


def test_no_call_fails_during_50_changes(aliased, provider, provider_url, stillhouse):
    client = aliased()
    for number in range(50):
        stillhouse.aliases["quick"] = alias((f"m{number}", provider_url, {}), version=number + 2)
        client.chat.completions.create(**ASK)
    asked = [request["model"] for request in provider.asked]
    assert len(asked) == 50
    assert set(asked) <= {"there", *(f"m{number}" for number in range(50))}


class Clocked:
    """Aliases whose clock and whose Stillhouse a test moves."""

    def __init__(self, ttl=10.0):
        self.now = 0.0
        self.says = {"object": "alias", "version": 1, "salt": "s", "targets": []}
        self.asked = 0
        self.aliases = Aliases(self, {"quick": "spare"}, ttl, Tally(), lambda: self.now)
        self.settle()

    def alias(self, name):
        assert name == "quick"
        self.asked += 1
        if isinstance(self.says, Exception):
            raise self.says
        return self.says

    def settle(self):
        thread = self.aliases._thread
        if thread:
            thread.join(5)

    def version(self):
        found = self.aliases.find("quick")
        self.settle()
        return found and found["version"]


def test_a_change_is_followed_within_the_ttl_and_busy_calls_never_wait():
    clocked = Clocked()
    assert [clocked.version() for _ in range(20)] == [1] * 20
    assert clocked.asked == 1
    clocked.says = {**clocked.says, "version": 2}
    clocked.now = 6.0
    assert clocked.version() in {1, 2}
    assert clocked.version() == 2
    clocked.says = {**clocked.says, "version": 3}
    clocked.now = 100.0
    assert clocked.version() == 3


def test_the_last_known_one_holds_while_stillhouse_is_away_or_says_nonsense():
    clocked = Clocked()
    for trouble in (Away("gone"), {"object": "alias", "version": 9, "targets": [{"model": 7}]}):
        clocked.says = trouble
        for _ in range(3):
            clocked.now += 20
            assert clocked.version() == 1
    clocked.says = None
    clocked.now += 20
    assert clocked.version() in {1, None}
    assert clocked.version() is None


def test_a_process_that_can_start_no_thread_goes_on_with_what_is_known(monkeypatch):
    clocked = Clocked()

    def start(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    clocked.now = 100.0
    assert clocked.version() == 1
    assert asyncio.run(clocked.aliases.afind("quick"))["version"] == 1
    monkeypatch.undo()
    clocked.says = {**clocked.says, "version": 2}
    clocked.now = 200.0
    clocked.version()
    assert clocked.version() == 2


def test_async_calls_that_wait_for_news_take_no_thread_of_the_applications(monkeypatch):
    clocked, answered = Clocked(), threading.Event()
    monkeypatch.setattr(clocked.aliases, "_endpoint", SimpleNamespace(alias=lambda _: answered.wait(10) and None))
    monkeypatch.setattr("stillhouse.capturing.aliases._WAIT_S", 0.05)
    clocked.now = 100.0

    async def use():
        with ThreadPoolExecutor(1) as busy:
            asyncio.get_running_loop().set_default_executor(busy)
            busy.submit(answered.wait, 10)
            found = asyncio.gather(*(clocked.aliases.afind("quick") for _ in range(40)))
            try:
                return await asyncio.wait_for(found, 5)
            finally:
                answered.set()

    assert [found["version"] for found in asyncio.run(use())] == [1] * 40


@pytest.mark.parametrize(
    "options",
    [{"aliases": {"a": ""}}, {"aliases": "a"}, {"aliases": {1: "m"}}, {"alias_ttl": 0}, {"clients": {"x": "y"}}],
)
def test_an_impossible_option_is_refused_at_once(options, stillhouse_url):
    with pytest.raises(ValueError, match=r"alias|client"):
        capture(OpenAI(api_key="k"), base_url=stillhouse_url, api_key="sk-sh-test", spool=False, **options)
