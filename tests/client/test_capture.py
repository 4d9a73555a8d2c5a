import asyncio
import json
import logging
from datetime import UTC, datetime
from functools import cached_property
from types import SimpleNamespace

import pytest
from openai import APIConnectionError, AsyncOpenAI, AzureOpenAI, BadRequestError, LengthFinishReasonError, OpenAI
from openai.resources.chat import Chat
from openai.types.chat import ChatCompletion
from pydantic import BaseModel

from stillhouse import capture
from stillhouse.capturing import Counts, captures_of
from tests.client.doubles import completion

ASK = {"model": "big", "messages": [{"role": "user", "content": "hi"}]}


def flushed(client, stillhouse):
    assert client.stillhouse.flush(10)
    return stillhouse.records


def test_a_stored_call_goes_to_the_provider_and_is_pushed(client, stillhouse):
    answer = client.chat.completions.create(**ASK, store=True, temperature=0.5)
    (record,) = flushed(client, stillhouse)
    assert answer.choices[0].message.content == "hello"
    assert record["request"] == {**ASK, "temperature": 0.5, "store": True}
    assert record["response"] == answer.to_dict()
    assert record["provider"] == "127.0.0.1"
    assert 0 <= record["latency_ms"] < 5000
    assert client.stillhouse.counts == Counts(captured=1, delivered=1)


def test_a_call_that_is_not_stored_is_left_alone(client, provider, stillhouse):
    client.chat.completions.create(**ASK, metadata={"a": "b"})
    client.chat.completions.create(**ASK, store=False)
    assert flushed(client, stillhouse) == []
    assert provider.asked[0] == {**ASK, "metadata": {"a": "b"}}
    assert provider.asked[1] == ASK
    assert client.stillhouse.counts == Counts()


def test_store_and_metadata_are_not_passed_on_unless_asked(wrap, provider, stillhouse):
    tagged = {**ASK, "store": True, "metadata": {"team": "mail"}}
    client = wrap()
    client.chat.completions.create(**tagged)
    client.chat.completions.create(**ASK, extra_body={"store": True, "metadata": {"team": "mail"}, "top_k": 3})
    assert provider.asked == [ASK, {**ASK, "top_k": 3}]
    assert [completion["request"] for completion in flushed(client, stillhouse)] == [tagged, {**tagged, "top_k": 3}]
    wrap(forward_store=True).chat.completions.create(**tagged)
    assert provider.asked[-1] == tagged


@pytest.mark.parametrize(
    ("host", "store", "sent"),
    [
        ("api.openai.com", False, {"store": False}),
        ("eu.api.openai.com", True, {}),
        ("openai.com.example", False, {}),
    ],
)
def test_only_openai_is_told_not_to_store(client, host, store, sent):
    request = {"body": {"model": "m", "store": store, "metadata": {"a": "b"}}, "options": {}}
    vars(client)["_recorder"].begin(host, request, object)
    assert request["body"] == {"model": "m", **sent}


def test_every_call_is_captured_where_that_is_the_default(wrap, provider, stillhouse):
    client = wrap(store=True)
    client.chat.completions.create(**ASK)
    client.chat.completions.create(**ASK, store=False)
    assert len(flushed(client, stillhouse)) == 1
    assert provider.asked == [ASK, ASK]


def test_default_metadata_gives_way_to_the_calls_own(wrap, stillhouse):
    client = wrap(metadata={"app": "mail", "env": "dev", **{f"d{n:02}": "x" for n in range(14)}})
    client.chat.completions.create(**ASK, store=True, metadata={"env": "prod", "user": 7, "since": "now"})
    (record,) = flushed(client, stillhouse)
    metadata = record["request"]["metadata"]
    assert len(metadata) == 16
    assert metadata.items() >= {"app": "mail", "env": "prod", "user": "7", "since": "now", "d00": "x"}.items()


def test_what_the_caller_changes_afterwards_is_not_recorded(client, stillhouse):
    schema = {"type": "object", "properties": {}}
    tools = [{"type": "function", "function": {"name": "f", "parameters": schema}}]
    messages = [{"role": "user", "content": "hi"}]
    answer = client.chat.completions.create(model="big", messages=messages, tools=tools, store=True)
    messages[0]["content"] = "changed"
    messages.append(answer.choices[0].message)
    schema["properties"]["late"] = {}
    answer.choices[0].message.content = "changed"
    client.chat.completions.create(model="big", messages=messages, store=True)
    first, second = flushed(client, stillhouse)
    assert first["request"]["messages"] == [{"role": "user", "content": "hi"}]
    assert first["request"]["tools"][0]["function"]["parameters"]["properties"] == {}
    assert first["response"]["choices"][0]["message"]["content"] == "hello"
    assert second["request"]["messages"][1]["content"] == "changed"


def test_odd_but_valid_content_arrives_whole(client, provider, stillhouse):
    texts = "\ud83d\ude00", "\x00 \u2028 é", "lone \ud83d"
    provider.say = lambda _: (200, "application/json", [json.dumps(completion(texts[0])).encode()])
    client.chat.completions.create(**ASK, store=True)
    for text in texts[1:]:
        provider.say = lambda _, text=text: (200, "application/json", [json.dumps(completion(text)).encode()])
        client.chat.completions.create(**ASK, store=True, user=str(datetime.now(UTC)))
    contents = [
        completion["response"]["choices"][0]["message"]["content"] for completion in flushed(client, stillhouse)
    ]
    assert contents == ["😀", "\x00 \u2028 é", "lone \ufffd"]


@pytest.mark.parametrize("text", ["hello", "lone \ud83d"])
def test_an_infinite_log_probability_arrives_as_null(client, provider, stillhouse, text):
    logprobs = {"content": [{"token": "a", "logprob": float("-inf"), "bytes": None, "top_logprobs": []}]}
    body = json.dumps(completion(text, logprobs=logprobs)).encode()
    assert b"-Infinity" in body
    provider.say = lambda _: (200, "application/json", [body])
    client.chat.completions.create(**ASK, store=True, logprobs=True)
    [record] = flushed(client, stillhouse)
    assert record["response"]["choices"][0]["logprobs"]["content"][0]["logprob"] is None
    assert record["response"]["choices"][0]["message"]["content"] == text.replace("\ud83d", "\ufffd")


def test_a_failed_call_raises_as_ever_and_is_not_captured(client, provider, stillhouse, nowhere):
    provider.say = lambda _: (400, "application/json", [b'{"error":{"message":"no"}}'])
    with pytest.raises(BadRequestError):
        client.chat.completions.create(**ASK, store=True)
    with pytest.raises(APIConnectionError):
        client.with_options(base_url=nowhere).chat.completions.create(**ASK, store=True)
    assert flushed(client, stillhouse) == []
    assert client.stillhouse.counts == Counts()


# ---------------------------------------------------------------- every way to call


class Mood(BaseModel):
    mood: str


def test_parse_gives_a_parsed_answer_and_records_the_plain_one(client, provider, stillhouse):
    provider.say = lambda _: (200, "application/json", [json.dumps(completion('{"mood":"fine"}')).encode()])
    answer = client.chat.completions.parse(**ASK, response_format=Mood, store=True)
    assert answer.choices[0].message.parsed == Mood(mood="fine")
    records = flushed(client, stillhouse)
    assert records[0]["response"]["choices"][0]["message"] == {
        "role": "assistant",
        "content": '{"mood":"fine"}',
        "refusal": None,
    }
    assert records[0]["request"]["response_format"]["json_schema"]["name"] == "Mood"


class QuickBeta(OpenAI):
    """The SDK's own `beta` takes seconds to import."""

    @cached_property
    def beta(self):
        return SimpleNamespace(chat=Chat(self))


def test_chat_completions_under_beta_are_captured_too(wrap, stillhouse, provider_url, stillhouse_url, tmp_path):
    seen_before = QuickBeta(base_url=provider_url, api_key="k")
    completions = seen_before.beta.chat
    capture(seen_before, base_url=stillhouse_url, api_key="sk-sh-test", spool=tmp_path)
    completions.completions.create(**ASK, store=True)
    client = wrap(QuickBeta)
    client.beta.chat.completions.create(**ASK, store=True)
    assert seen_before.stillhouse.flush(10)
    assert len(flushed(client, stillhouse)) == 2
    seen_before.stillhouse.close()


def test_resources_that_were_in_use_before_are_captured_too(provider_url, stillhouse, stillhouse_url, tmp_path):
    client = OpenAI(base_url=provider_url, api_key="k")
    completions, messages = client.chat.completions, client.chat.completions.messages
    capture(client, base_url=stillhouse_url, api_key="sk-sh-test", spool=tmp_path)
    completions.create(**ASK, store=True)
    assert len(flushed(client, stillhouse)) == 1
    assert list(messages.list("chatcmpl-1")) == []
    assert stillhouse.other == [("GET", "/v1/chat/completions/chatcmpl-1/messages")]
    client.stillhouse.close()


def test_a_post_of_the_application_s_own_goes_to_the_provider_unseen(client, provider, stillhouse):
    provider.say = lambda _: (200, "application/json", [b"{}"])
    assert client.post("/moderations", cast_to=object, body={"input": "x", "store": True}) == {}
    assert client.post("/chat/completions", cast_to=object, body=["odd"]) == {}
    assert provider.asked == [{"input": "x", "store": True}, ["odd"]]
    assert flushed(client, stillhouse) == []


def test_an_answer_that_parse_rejects_is_recorded_all_the_same(client, provider, stillhouse):
    cut_off = completion('{"mood":', finish_reason="length")
    provider.say = lambda _: (200, "application/json", [json.dumps(cut_off).encode()])
    with pytest.raises(LengthFinishReasonError):
        client.chat.completions.parse(**ASK, response_format=Mood, store=True)
    assert flushed(client, stillhouse)[0]["response"] == cut_off


def test_raw_responses_are_recorded_whether_or_not_they_are_parsed(client, stillhouse):
    raw = client.chat.completions.with_raw_response.create(**ASK, store=True)
    parsed = client.with_raw_response.chat.completions.parse(**ASK, response_format=Mood, store=True)
    assert raw.headers["content-type"] == "application/json"
    with client.chat.completions.with_streaming_response.create(**ASK, store=True) as response:
        text = response.read()
    with client.chat.completions.with_streaming_response.create(**ASK, store=True) as response:
        whole = response.parse()
    with client.chat.completions.with_streaming_response.create(**ASK, store=True):
        pass
    records = flushed(client, stillhouse)
    answers = [raw.parse().to_dict(), json.loads(parsed.text), json.loads(text), whole.to_dict()]
    assert [record["response"] for record in records] == answers
    assert client.stillhouse.counts == Counts(captured=5, delivered=4, incomplete=1)


def test_copies_of_the_client_capture_through_the_same_queue(client, provider, stillhouse):
    quick = client.with_options(timeout=5)
    quick.copy(max_retries=1).chat.completions.create(**ASK, store=True)
    assert type(quick) is type(client)
    assert isinstance(quick, OpenAI)
    assert quick.stillhouse is client.stillhouse is captures_of(quick)
    assert provider.asked == [ASK]
    assert len(flushed(client, stillhouse)) == 1


def test_wrapping_again_replaces_the_first_wrapper(wrap, stillhouse, stillhouse_url, tmp_path):
    client = wrap(metadata={"first": "yes"})
    again = capture(client, base_url=stillhouse_url, api_key="sk-sh-test", spool=tmp_path, metadata={"second": "yes"})
    again.chat.completions.create(**ASK, store=True)
    assert again is client
    assert [completion["request"]["metadata"] for completion in flushed(client, stillhouse)] == [{"second": "yes"}]
    client.stillhouse.close()


def test_the_classes_of_the_sdk_and_other_clients_stay_as_they_are(client, provider_url, stillhouse):
    other = OpenAI(base_url=provider_url, api_key="k")
    other.chat.completions.create(**ASK)
    assert flushed(client, stillhouse) == []
    assert type(other) is OpenAI
    assert type(client) is OpenAI
    assert not hasattr(other, "stillhouse")
    with pytest.raises(TypeError, match="not captured"):
        captures_of(other)


def test_a_subclass_of_the_client_stays_what_it_is(stillhouse_url, provider_url, stillhouse, tmp_path):
    azure = AzureOpenAI(api_version="1", base_url=provider_url, api_key="k")
    client = capture(azure, base_url=stillhouse_url, api_key="sk-sh-test", spool=tmp_path)
    client.with_options(timeout=5).chat.completions.create(**ASK, store=True)
    assert isinstance(client, AzureOpenAI)
    assert len(flushed(client, stillhouse)) == 1
    client.stillhouse.close()


def test_stored_completions_are_stillhouses(client, provider, stillhouse):
    completions = client.chat.completions
    assert list(completions.list(model="big", metadata={"a": "b"})) == []
    assert isinstance(completions.retrieve("chatcmpl-1"), ChatCompletion)
    completions.update("chatcmpl-1", metadata={"c": "d"})
    completions.with_raw_response.delete("chatcmpl-1")
    assert list(completions.messages.list("chatcmpl-1")) == []
    root = "/v1/chat/completions"
    assert stillhouse.other == [
        ("GET", f"{root}?metadata%5Ba%5D=b&model=big"),
        ("GET", f"{root}/chatcmpl-1"),
        ("POST", f"{root}/chatcmpl-1"),
        ("DELETE", f"{root}/chatcmpl-1"),
        ("GET", f"{root}/chatcmpl-1/messages"),
    ]
    assert provider.asked == []


# ---------------------------------------------------------------- options


def test_a_sample_of_the_calls_is_captured(wrap, provider, stillhouse, monkeypatch):
    client = wrap(sample=0.25)
    drawn = iter([0.1, 0.25, 0.9, 0.2])
    monkeypatch.setattr("stillhouse.capturing.recorder.random.random", lambda: next(drawn))
    for user in "abcd":
        client.chat.completions.create(**ASK, store=True, user=user)
    assert [completion["request"]["user"] for completion in flushed(client, stillhouse)] == ["a", "d"]
    assert all("store" not in asked for asked in provider.asked)


def test_redact_changes_or_discards_a_record(wrap, stillhouse):
    def redact(record):
        if record["request"]["user"] == "private":
            return None
        record["request"]["messages"] = [{"role": "user", "content": "***"}]
        return record

    client = wrap(redact=redact)
    client.chat.completions.create(**ASK, store=True, user="public")
    client.chat.completions.create(**ASK, store=True, user="private")
    (record,) = flushed(client, stillhouse)
    assert record["request"]["messages"][0]["content"] == "***"
    assert client.stillhouse.counts == Counts(captured=2, delivered=1, discarded=1)


@pytest.mark.parametrize("broken", [lambda record: record["none"], lambda _: "text", lambda _: {"a": object()}])
def test_what_redact_fails_on_is_never_sent_nor_written(wrap, stillhouse, broken, tmp_path, caplog):
    client = wrap(redact=broken)
    for _ in range(2):
        client.chat.completions.create(**ASK, store=True)
    assert flushed(client, stillhouse) == []
    assert client.stillhouse.counts == Counts(captured=2, redact_failed=2)
    assert list((tmp_path / "spool").rglob("*.gz")) == []
    assert len([entry for entry in caplog.records if entry.levelno == logging.WARNING]) == 1


def test_configuration_comes_from_the_environment_or_the_arguments(monkeypatch, stillhouse_url, tmp_path):
    monkeypatch.setenv("STILLHOUSE_BASE_URL", stillhouse_url)
    monkeypatch.setenv("STILLHOUSE_API_KEY", "sk-sh-test")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    client = capture(OpenAI(api_key="k"))
    assert client.stillhouse.flush(1)
    assert (tmp_path / "stillhouse" / "spool").stat().st_mode & 0o777 in {0o700, 0o755}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, r"base_url \(or STILLHOUSE_BASE_URL\) and api_key \(or STILLHOUSE_API_KEY\)"),
        ({"base_url": "https://x/v1"}, r"give api_key"),
        ({"base_url": "x/v1", "api_key": "k"}, "must be a URL"),
        ({"base_url": "https://x/v1", "api_key": "k", "sample": 2}, "share from 0 to 1"),
        ({"base_url": "https://x/v1", "api_key": "k", "metadata": {"a": 1}}, "text to text"),
        ({"base_url": "https://x/v1", "api_key": "k", "metadata": {"a" * 65: "b"}}, "too long"),
        ({"base_url": "https://x/v1", "api_key": "k", "metadata": dict.fromkeys("abcdefghijklmnopq", "")}, "17 pairs"),
    ],
)
def test_a_wrong_configuration_is_said_when_wrapping(monkeypatch, options, says):
    monkeypatch.delenv("STILLHOUSE_BASE_URL", raising=False)
    monkeypatch.delenv("STILLHOUSE_API_KEY", raising=False)
    with pytest.raises(ValueError, match=says):
        capture(OpenAI(api_key="k"), **options)


def test_only_clients_of_the_sdk_are_wrapped(tmp_path):
    with pytest.raises(TypeError, match="not object"):
        capture(object(), base_url="https://x/v1", api_key="k", spool=tmp_path)


# ---------------------------------------------------------------- async


async def use(client):
    answer = await client.chat.completions.create(**ASK, store=True)
    parsed = await client.chat.completions.with_raw_response.create(**ASK, store=True)
    async with client.chat.completions.with_streaming_response.create(**ASK, store=True) as response:
        text = await response.text()
    assert [completion async for completion in client.chat.completions.list()] == []
    await client.chat.completions.retrieve("chatcmpl-1")
    await client.chat.completions.update("chatcmpl-1", metadata={"c": "d"})
    await client.chat.completions.delete("chatcmpl-1")
    assert [message async for message in client.chat.completions.messages.list("chatcmpl-1")] == []
    assert await client.stillhouse.aflush(10)
    await client.close()
    await vars(client)["_recorder"].endpoint.async_stored.close()
    return [answer.to_dict(), json.loads(parsed.text), json.loads(text)]


def test_the_async_client_does_the_same(wrap, provider, stillhouse):
    client = wrap(AsyncOpenAI, metadata={"app": "mail"})
    answers = asyncio.run(use(client))
    assert [record["response"] for record in stillhouse.records] == answers
    assert provider.asked == [ASK] * 3
    assert [method for method, _ in stillhouse.other] == ["GET", "GET", "POST", "DELETE", "GET"]
    assert {record["request"]["metadata"]["app"] for record in stillhouse.records} == {"mail"}
