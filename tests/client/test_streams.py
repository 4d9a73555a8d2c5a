import asyncio
import json

import pytest
from openai import APIError, AsyncOpenAI
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from stillhouse.capturing import Counts
from stillhouse.capturing.assemble import completion_in
from stillhouse.capturing.counts import Tally
from stillhouse.capturing.records import Packer, Seen
from tests.client.doubles import HELLO, USAGE, chunk, completion, events, piece, stuck

ASK = {"model": "big", "messages": [{"role": "user", "content": "hi"}], "store": True}


def called(index, **function):
    return {"index": index, "function": function}


TOOLS = [
    chunk(piece(role="assistant", content=None)),
    chunk(piece(tool_calls=[{**called(0, name="f", arguments=""), "id": "call_a", "type": "function"}])),
    chunk(piece(tool_calls=[called(0, arguments='{"a"')])),
    chunk(piece(tool_calls=[{**called(1, name="g", arguments=""), "id": "call_b", "type": "function"}])),
    chunk(piece(tool_calls=[called(1, arguments="{}"), called(0, arguments=":1}")])),
    chunk(piece(finish_reason="tool_calls")),
]
PROBABLE = {"token": "x", "logprob": -0.1, "bytes": [120], "top_logprobs": []}
SEVERAL = [
    chunk(piece(1, role="assistant", content="b")),
    chunk(piece(0, role="assistant", content="a"), service_tier="default", system_fingerprint="fp_1"),
    chunk({**piece(0, content="x"), "logprobs": {"content": [PROBABLE], "refusal": None}}),
    chunk({**piece(0, content="x"), "logprobs": {"content": [PROBABLE], "refusal": None}}),
    chunk(piece(1, finish_reason="stop"), piece(0, finish_reason="stop")),
    chunk(usage=USAGE, system_fingerprint="fp_1"),
]
REFUSED = [
    chunk(piece(role="assistant", refusal="I ca", content=None)),
    chunk(piece(refusal="nnot", content=None)),
    chunk(piece(finish_reason="stop")),
]


@pytest.mark.parametrize("chunks", [HELLO, TOOLS, SEVERAL, REFUSED], ids=["text", "tools", "several", "refused"])
def test_chunks_add_up_to_what_the_sdk_makes_of_them(chunks):
    assembled = completion_in(b"".join(events(*chunks)))
    state = ChatCompletionStreamState()
    # The SDK's own state needs the choices in order.
    for delta in chunks[1::-1] + chunks[2:] if chunks is SEVERAL else chunks:
        state.handle_chunk(ChatCompletionChunk.model_validate(delta))
    theirs = ChatCompletion.model_validate(state.get_final_completion().model_dump())
    ours = ChatCompletion.model_validate(assembled)
    assert ours.model_dump(exclude={"choices": {"__all__": {"logprobs"}}}, exclude_none=True) == without_index(
        theirs.model_dump(exclude={"choices": {"__all__": {"logprobs"}}}, exclude_none=True)
    )
    assert ours.choices[0].logprobs == theirs.choices[0].logprobs


def without_index(dumped):
    for choice in dumped["choices"]:
        for call in choice["message"].get("tool_calls") or []:
            call.pop("index", None)
    return dumped


def test_tool_calls_are_whole_and_in_order():
    (choice,) = completion_in(b"".join(events(*TOOLS)))["choices"]
    assert choice["message"]["tool_calls"] == [
        {"id": "call_a", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
        {"id": "call_b", "type": "function", "function": {"name": "g", "arguments": "{}"}},
    ]
    assert choice["message"]["content"] is None


def test_habits_of_other_providers_are_understood():
    chunks = [
        chunk(id="", model="", created=0, object=""),
        chunk(piece(role="assistant", reasoning_content="hm", tool_calls=[called(0, name="f", arguments="{")])),
        chunk(piece(role="assistant", reasoning_content="m", tool_calls=[called(0, name="f", arguments="}")])),
        chunk(piece(tool_calls=[{"id": "z", "function": {"name": "g", "arguments": ""}}]), id="later", obfuscation="x"),
        chunk(piece(finish_reason="tool_calls"), usage=None),
    ]
    assembled = completion_in(b"".join(events(*chunks)))
    message = assembled["choices"][0]["message"]
    assert (assembled["id"], assembled["model"]) == ("chatcmpl-s", "big-2024")
    assert "obfuscation" not in assembled
    assert message["reasoning_content"] == "hmm"
    assert [call["function"]["name"] for call in message["tool_calls"]] == ["f", "g"]
    assert message["tool_calls"][0]["function"]["arguments"] == "{}"


def test_the_lines_of_a_stream_may_end_and_look_in_several_ways():
    first = json.dumps(chunk(piece(content="a\u2028b")), ensure_ascii=False)
    second = json.dumps(chunk(piece(content="é")), indent=1).replace("\n", "\ndata: ")
    last = json.dumps(chunk(piece(finish_reason="stop")))
    body = f": ping\r\n\r\nevent: message\rid: 1\rdata:{first}\r\rdata: {second}\n\ndata: {last}"
    assert completion_in(body.encode())["choices"][0]["message"]["content"] == "a\u2028bé"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"data: [DONE]\n\n",
        b"{}",
        b"".join(events(*HELLO[:3])),
        b"".join(events(*SEVERAL[:2], chunk(piece(0, finish_reason="stop")))),
        b"".join(events(*HELLO[:2], {"error": {"message": "overloaded"}}, *HELLO[2:])),
    ],
)
def test_what_did_not_end_is_no_completion(body):
    assert completion_in(body) is None


def contents(client, stillhouse):
    assert client.stillhouse.flush(10)
    return [record["response"]["choices"][0]["message"]["content"] for record in stillhouse.records]


def test_a_stream_is_recorded_whichever_way_it_is_read(client, provider, stillhouse):
    create = client.chat.completions.create
    seen = [piece.choices[0].delta.content or "" for piece in create(**ASK, stream=True)]
    with create(**ASK, stream=True) as stream:
        again = [piece.choices[0].delta.content or "" for piece in stream]
    with client.chat.completions.stream(**ASK) as stream:
        helped = [event.delta for event in stream if event.type == "content.delta"]
        final = stream.get_final_completion()
    raw = client.chat.completions.with_raw_response.create(**ASK, stream=True)
    list(raw.parse())
    with client.chat.completions.with_streaming_response.create(**ASK, stream=True) as response:
        lines = list(response.iter_lines())
    assert "".join(seen) == "".join(again) == "".join(helped) == final.choices[0].message.content == "hello"
    assert lines[-2] == "data: [DONE]"
    assert contents(client, stillhouse) == ["hello"] * 5
    assert all(
        record["request"]["stream"] is True and record["request"]["store"] is True for record in stillhouse.records
    )
    assert not any("store" in asked or "stream_options" in asked for asked in provider.asked)
    assert client.stillhouse.counts == Counts(captured=5, delivered=5)


def test_the_async_streams_too(wrap, provider, stillhouse):
    client = wrap(AsyncOpenAI)

    async def read():
        create = client.chat.completions.create
        seen = [piece.choices[0].delta.content or "" async for piece in await create(**ASK, stream=True)]
        async with await create(**ASK, stream=True) as stream:
            async for _ in stream:
                pass
        async with client.chat.completions.stream(**ASK) as stream:
            final = await stream.get_final_completion()
        async with client.chat.completions.with_streaming_response.create(**ASK, stream=True) as response:
            lines = [line async for line in response.iter_lines()]
        provider.say = lambda _: (200, "text/event-stream", stuck(events(*HELLO[:2])[:2], provider.released))
        async with await create(**ASK, stream=True) as stream:
            await anext(stream)
        await client.close()
        return "".join(seen), final.choices[0].message.content, len(lines)

    assert asyncio.run(read()) == ("hello", "hello", 10)
    assert contents(client, stillhouse) == ["hello"] * 4
    assert client.stillhouse.counts == Counts(captured=5, delivered=4, incomplete=1)


def test_a_stream_that_is_abandoned_or_breaks_is_counted_and_not_recorded(client, provider, stillhouse):
    provider.say = lambda _: (200, "text/event-stream", stuck(events(*HELLO[:2])[:2], provider.released))
    with client.chat.completions.create(**ASK, stream=True) as stream:
        while next(stream).choices[0].delta.content != "hel":
            pass
    provider.say = lambda _: (200, "text/event-stream", events(*HELLO[:2], {"error": {"message": "overloaded"}}))
    with pytest.raises(APIError, match="overloaded"):
        list(client.chat.completions.create(**ASK, stream=True))
    assert contents(client, stillhouse) == []
    assert client.stillhouse.counts == Counts(captured=2, incomplete=2)


@pytest.mark.parametrize(
    "stream",
    [
        events(chunk(piece(x={"a": "b"})), chunk(piece(x=[{"function": {"arguments": "{}"}}]))),
        [b"data: " + b"[" * 200_000 + b"]" * 200_000 + b"\n\n"],
        [b"data: [1]\n\n"],
    ],
    ids=["a list where an object has begun", "nested too deeply", "no object"],
)
def test_a_stream_of_no_known_shape_costs_no_other_call_of_its_batch(stream):
    packer = Packer(None, Tally())
    lines = [packer.line(Seen(b"{}", body, 7, "there")) for body in (stream, events(*HELLO))]
    assert [line is not None for line in lines] == [False, True]


def test_a_stream_left_after_its_last_words_is_recorded(client, stillhouse):
    with client.chat.completions.create(**ASK, stream=True) as stream:
        while next(stream).choices[0].finish_reason is None:
            pass
    assert contents(client, stillhouse) == ["hello"]


def test_an_answer_that_is_no_stream_though_asked_for_one_is_recorded(client, provider, stillhouse):
    provider.say = lambda _: (200, "application/json", [json.dumps(completion("whole")).encode()])
    list(client.chat.completions.create(**ASK, stream=True))
    assert contents(client, stillhouse) == ["whole"]


def test_usage_is_asked_for_and_kept_back_where_wanted(wrap, provider, stillhouse):
    client = wrap(stream_usage=True)
    chunks = list(client.chat.completions.create(**ASK, stream=True))
    assert [piece.choices[0].delta.content for piece in chunks] == ["", "hel", "lo", None]
    own = {"include_usage": True}
    assert list(client.chat.completions.create(**ASK, stream=True, stream_options=own))[-1].usage
    assert contents(client, stillhouse) == ["hello", "hello"]
    assert [record["response"]["usage"] for record in stillhouse.records] == [USAGE, USAGE]
    assert [record["request"].get("stream_options") for record in stillhouse.records] == [None, own]
    assert [asked["stream_options"] for asked in provider.asked] == [own, own]


def test_usage_is_kept_back_from_async_streams_too(wrap, stillhouse):
    client = wrap(AsyncOpenAI, stream_usage=True)

    async def read():
        seen = [
            piece.choices[0].delta.content async for piece in await client.chat.completions.create(**ASK, stream=True)
        ]
        await client.close()
        return seen

    assert asyncio.run(read()) == ["", "hel", "lo", None]
    assert contents(client, stillhouse) == ["hello"]
    assert stillhouse.records[0]["response"]["usage"] == USAGE


@pytest.mark.parametrize(("host", "option", "adds"), [("api.openai.com", None, True), ("api.openai.com", False, False)])
def test_openai_is_asked_for_usage_unless_told_otherwise(wrap, host, option, adds):
    request = {"body": {"model": "m", "store": True, "stream": True}, "options": {}, "stream": True, "stream_cls": None}
    vars(wrap(stream_usage=option))["_recorder"].begin(host, request, list)
    assert ("stream_options" in request["body"], request["stream_cls"] is list) == (adds, adds)
