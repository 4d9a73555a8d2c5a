"""A cascade in the wrapper: judged here as the gateway judges, without a hop, and captured with both calls."""

import asyncio
import json

import pytest
from openai import AsyncOpenAI, BadRequestError, InternalServerError, OpenAI
from pydantic import BaseModel

from completions.confidence import of_completion
from stillhouse.capturing.cascading import confidence
from tests.client.doubles import HELLO, alias, completion, events, place

ASK = {"model": "quick", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture
def cascaded(wrap, stillhouse, provider_url):
    """Wraps a client whose alias has a cascade from `small` to `big`, both at the client's own provider."""

    def wrapped(kind=OpenAI, *, by="logprob", fallback=None, **target):
        sent_on = {"to": "of-big", "by": by, "threshold": -0.1, "place": place("big", provider_url)}
        told = alias(("small", provider_url, {"cascade": sent_on, **target}), fallback=fallback)
        stillhouse.aliases["quick"] = told
        client = wrap(kind, aliases={"quick": "spare"}, alias_ttl=0.05)
        vars(client)["_recorder"].ways._aliases._ask().join(5)
        return client

    return wrapped


def says(logprob, big=(200, "application/json")):
    """A provider whose small model is this sure, and whose big one answers so."""
    tokens = {"content": [{"token": "x", "logprob": logprob, "bytes": None, "top_logprobs": []}], "refusal": None}

    def answer(asked):
        if asked.get("stream"):
            return 200, "text/event-stream", events(*HELLO)
        if asked["model"] == "big":
            return (
                *big,
                [json.dumps(completion("of big") if big[0] == 200 else {"error": {"message": "no"}}).encode()],
            )
        logprobs = tokens if asked.get("logprobs") else None
        return 200, "application/json", [json.dumps(completion("of small", logprobs=logprobs)).encode()]

    return answer


def test_a_sure_answer_is_kept_and_looks_as_if_nobody_had_asked(cascaded, provider, stillhouse):
    provider.say = says(-0.1)
    client = cascaded()
    answer = client.chat.completions.create(**ASK, store=True)
    assert (answer.choices[0].message.content, answer.choices[0].logprobs) == ("of small", None)
    assert provider.asked == [{**ASK, "model": "small", "logprobs": True}]
    assert client.stillhouse.flush(10)
    [record] = stillhouse.records
    cascade = {
        "to": "of-big",
        "by": "logprob",
        "threshold": -0.1,
        "confidence": -0.1,
        "kept": True,
        "first_asked": None,
    }
    assert record["alias"] == {"name": "quick", "version": 1, "target": "of-small", "cascade": cascade}
    assert (record["request"]["model"], "logprobs" in record["request"]) == ("of-small", False)
    assert record["response"]["choices"][0]["logprobs"] is None


def test_who_asks_for_log_probabilities_gets_them(cascaded, provider):
    provider.say = says(-0.05)
    answer = cascaded().chat.completions.create(**ASK, logprobs=True)
    assert answer.choices[0].logprobs.content[0].logprob == -0.05


@pytest.mark.parametrize("kind", [OpenAI, AsyncOpenAI])
def test_an_unsure_answer_goes_to_the_teacher_and_the_capture_has_both_calls(cascaded, provider, stillhouse, kind):
    provider.say = says(-0.4)
    client = cascaded(kind)
    asking = client.chat.completions.create(**ASK, store=True)
    answer = asyncio.run(asking) if kind is AsyncOpenAI else asking
    assert answer.choices[0].message.content == "of big"
    assert [(asked["model"], asked.get("logprobs")) for asked in provider.asked] == [("small", True), ("big", None)]
    assert client.stillhouse.flush(10)
    [record] = stillhouse.records
    cascade = record["alias"]["cascade"]
    first = cascade.pop("first_asked")
    assert cascade == {"to": "of-big", "by": "logprob", "threshold": -0.1, "confidence": -0.4, "kept": False}
    assert (first["model"], first["prompt_tokens"], first["completion_tokens"]) == ("big-2024", 7, 2)
    assert (record["request"]["model"], record["latency_ms"] >= first["latency_ms"]) == ("of-big", True)


def test_odd_counts_of_the_first_call_do_not_cost_the_record(cascaded, provider, stillhouse):
    def odd(asked):
        status, kind, [body] = says(-0.4)(asked)
        usage = {"prompt_tokens": "7", "completion_tokens": -2, "prompt_tokens_details": {"cached_tokens": 0.5}}
        told = {"usage": usage, "model": "x" * 300} if asked["model"] == "small" else {}
        return status, kind, [json.dumps({**json.loads(body), **told}).encode()]

    provider.say = odd
    client = cascaded()
    client.chat.completions.create(**ASK, store=True)
    assert client.stillhouse.flush(10)
    [record] = stillhouse.records
    first = record["alias"]["cascade"]["first_asked"]
    counts = [first[name] for name in ("prompt_tokens", "cached_tokens", "completion_tokens")]
    assert (first["model"], counts) == ("of-small", [None] * 3)


def test_what_cannot_be_judged_goes_to_the_teacher_at_once(cascaded, provider):
    class Answer(BaseModel):
        text: str

    provider.say = says(0.0)
    client = cascaded()
    list(client.chat.completions.create(**ASK, stream=True))
    client.chat.completions.with_raw_response.create(**ASK)
    with pytest.raises(ValueError, match="JSON"):
        client.chat.completions.parse(**ASK, response_format=Answer)
    client.responses.create(model="quick", input="hi")
    cascaded(by="a way of tomorrow").chat.completions.create(**ASK)
    assert [asked["model"] for asked in provider.asked] == ["big"] * 5


def test_a_target_that_nobody_serves_is_not_asked(cascaded, provider, stillhouse):
    provider.say = says(0.0)
    client = cascaded(provider=None, base_url=None)
    assert client.chat.completions.create(**ASK).choices[0].message.content == "of big"
    assert ([asked["model"] for asked in provider.asked], stillhouse.asked) == (["big"], [])


@pytest.mark.parametrize("small", [400, 500])
def test_a_target_that_fails_is_not_sure(cascaded, provider, small):
    answer = says(0.0)
    provider.say = lambda asked: answer(asked) if asked["model"] == "big" else (small, "application/json", [b"{}"])
    assert cascaded().chat.completions.create(**ASK).choices[0].message.content == "of big"


@pytest.mark.parametrize("status", [400, 503])
def test_an_unsure_answer_is_better_than_none(cascaded, provider, stillhouse, status):
    provider.say = says(-0.4, big=(status, "application/json"))
    client = cascaded()
    answer = client.chat.completions.create(**ASK, store=True)
    assert (answer.choices[0].message.content, answer.choices[0].logprobs) == ("of small", None)
    assert client.stillhouse.flush(10)
    assert [record["alias"]["cascade"]["kept"] for record in stillhouse.records] == [True]


@pytest.mark.parametrize("kind", [OpenAI, AsyncOpenAI])
def test_a_target_that_is_the_fallback_too_is_not_asked_twice(cascaded, provider, provider_url, kind):
    provider.say = says(-0.4, big=(503, "application/json"))
    asking = cascaded(kind, fallback=place("small", provider_url)).chat.completions.create(**ASK)
    answer = asyncio.run(asking) if kind is AsyncOpenAI else asking
    assert answer.choices[0].message.content == "of small"
    assert [asked["model"] for asked in provider.asked].count("small") == 1


@pytest.mark.parametrize(("status", "kind"), [(400, BadRequestError), (503, InternalServerError)])
def test_where_both_fail_the_application_hears_it_of_the_teacher(cascaded, provider, status, kind):
    provider.say = lambda asked: (status if asked["model"] == "big" else 500, "application/json", [b"{}"])
    with pytest.raises(kind):
        cascaded().chat.completions.create(**ASK)


def test_it_judges_as_the_gateway_does():
    tokens = [{"token": "a", "logprob": -0.25}, {"token": "b", "logprob": -0.5}]
    for choice in (
        {"logprobs": {"content": tokens}},
        {"logprobs": {"content": []}},
        {"logprobs": {"content": [*tokens, {"token": "c", "logprob": float("nan")}]}},
        {"logprobs": {"content": [{"token": "c", "logprob": 1e-9}]}},
        {"logprobs": {"content": [{"token": "c", "logprob": -9999.0}]}},
        {"logprobs": {"content": [{"token": "c", "logprob": -10000.0}]}},
        {"logprobs": {"content": [{"token": "c", "logprob": 0.98}]}},
        {"logprobs": {"content": [{"token": "c", "logprob": -1e308}] * 2}},
        {"logprobs": {"content": tokens}, "finish_reason": "length"},
        {"logprobs": {"content": tokens}, "message": {"role": "assistant", "tool_calls": [{"id": "1"}]}},
        {"logprobs": {"content": tokens}, "message": {"role": "assistant", "refusal": "no"}},
        {"logprobs": None},
    ):
        body = completion("x", **choice)
        assert confidence(body) == of_completion(body), choice
        body["choices"] *= 2
        body["choices"].append(completion("y", logprobs={"content": tokens[1:]})["choices"][0])
        assert confidence(body) == of_completion(body), choice
