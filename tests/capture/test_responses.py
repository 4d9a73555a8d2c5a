"""Records of the Responses API: the chat completion they become, their chains, and what is refused."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam
from pydantic import TypeAdapter

from capture import chains
from capture.odd import completion_of
from completions import index
from completions.completion import Completion
from foundation.errors import ApiError
from tests.api.sdk import client_of
from tests.capture.responses import assistant, record, response, user
from tests.examples import examples
from tests.flow import loop
from tests.flow.system import System

MESSAGES = TypeAdapter(list[ChatCompletionMessageParam])
REASONING = {"type": "reasoning", "id": "rs_1", "summary": []}
SEARCH = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "weather", "arguments": '{"city":"Oslo"}'}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "rain"}


def refused(text: str) -> dict[str, Any]:
    return {**assistant(""), "content": [{"type": "refusal", "refusal": text}]}


def mapped(*items: dict[str, Any], **request: Any) -> Completion:
    completion = completion_of(record("a", list(items), **request))
    MESSAGES.validate_python(completion.messages)
    return completion


# ---------------------------------------------------------------- one response


def test_text_and_instructions_become_messages() -> None:
    pushed = record("a", "Hello?", instructions="Be kind.", temperature=0.5, max_output_tokens=9, include=["x"])
    completion = completion_of(pushed)
    assert completion.messages == [{"role": "system", "content": "Be kind."}, user("Hello?")]
    assert completion.choice == {
        "index": 0,
        "finish_reason": "stop",
        "logprobs": None,
        "message": {"role": "assistant", "content": "answer a", "refusal": None},
    }
    assert (completion.id, completion.created) == ("resp_a", 1_790_000_000)
    assert completion.models == {"gpt-5", "gpt-5-2025-08-07"}
    assert completion.parameters == {"temperature": 0.5, "max_completion_tokens": 9}
    assert completion.untrainable is None
    assert completion.original is not None
    assert (completion.original["request"], completion.original["response"]) == (pushed["request"], pushed["response"])
    content = [{"type": "input_text", "text": "Hello?"}]
    assert completion.original["input_items"] == [{"type": "message", "role": "user", "content": content}]


def test_usage_is_counted_in_the_words_of_a_chat() -> None:
    completion = mapped(user("Hello?"))
    assert (completion.prompt_tokens, completion.cached_tokens, completion.completion_tokens) == (9, 4, 5)
    assert completion.response["usage"]["total_tokens"] == 14
    assert completion.response["usage"]["completion_tokens_details"] == {"reasoning_tokens": 2}
    bare = record("a", "x")
    bare["response"]["usage"] = None
    assert completion_of(bare).prompt_tokens is None


def test_parts_of_a_message_have_counterparts() -> None:
    parts = [
        {"type": "input_text", "text": "What is it?"},
        {"type": "input_image", "image_url": "https://x/y.png", "detail": "low"},
        {"type": "input_file", "file_id": "file-1"},
    ]
    assert mapped(user(parts)).messages[0]["content"] == [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}},
        {"type": "file", "file": {"file_id": "file-1"}},
    ]
    assert mapped(user(parts)).untrainable is None
    assert mapped(user(parts[:1])).messages == [user("What is it?")]


def test_calls_and_their_outputs_are_the_assistants_and_the_tools() -> None:
    custom = {"type": "custom_tool_call", "call_id": "call_2", "name": "shell", "input": "ls"}
    listed = {"type": "custom_tool_call_output", "call_id": "call_2", "output": [{"type": "input_text", "text": "a b"}]}
    completion = mapped(
        user("?"), REASONING, assistant("Let me look."), CALL, custom, OUTPUT, listed, assistant("Rain."), user("!")
    )
    function = {"name": "weather", "arguments": '{"city":"Oslo"}'}
    assert completion.messages == [
        user("?"),
        {
            "role": "assistant",
            "content": "Let me look.",
            "tool_calls": [
                {"id": "call_1", "type": "function", "function": function},
                {"id": "call_2", "type": "custom", "custom": {"name": "shell", "input": "ls"}},
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
        {"role": "tool", "tool_call_id": "call_2", "content": "a b"},
        {"role": "assistant", "content": "Rain."},
        user("!"),
    ]
    assert completion.untrainable is None


def test_an_answer_of_several_items_is_one_choice() -> None:
    completion = completion_of(record("a", "?", REASONING, assistant("One."), CALL))
    message = completion.choice["message"]
    assert message["content"] == "One."
    assert [call["function"]["name"] for call in message["tool_calls"]] == ["weather"]
    assert completion.finish_reason == "tool_calls"
    assert completion.has_tools
    refusal = completion_of(record("a", "?", refused("No."))).choice["message"]
    assert (refusal["content"], refusal["refusal"]) == (None, "No.")


def phase(name: str | None, text: str) -> dict[str, Any]:
    return {**assistant(text), "phase": name}


@pytest.mark.parametrize(
    ("output", "answer"),
    [
        ([phase("commentary", "Let me see."), phase("final_answer", "Rain.")], "Rain."),
        ([assistant("Let me see."), REASONING, assistant("Rain.")], "Rain."),
        ([phase("final_answer", "Rain."), phase("commentary", "Done.")], "Rain."),
        ([phase("commentary", "One."), phase("commentary", "Two.")], "Two."),
        ([assistant("Let me see."), refused("No.")], None),
        ([assistant("Let me see."), CALL, assistant("Called.")], "Called."),
        ([phase("commentary", "Let me see."), CALL], "Let me see."),
        ([CALL], None),
    ],
)
def test_of_several_messages_the_final_one_is_the_answer(output: list[dict[str, Any]], answer: str | None) -> None:
    """A commentary and a final answer ran together without a space."""
    completion = completion_of(record("a", "?", *output))
    message = completion.choice["message"]
    assert (message["content"], completion.untrainable) == (answer, None)
    assert bool(message.get("tool_calls")) == (CALL in output)
    assert completion.original is not None
    assert completion.original["response"]["output"] == output


def test_what_the_assistant_said_on_the_way_stays_apart_in_the_history() -> None:
    messages = [user("?"), phase("commentary", "Let me see."), phase("final_answer", "Rain."), user("!")]
    assert mapped(*messages).messages == [
        user("?"),
        {"role": "assistant", "content": "Let me see."},
        {"role": "assistant", "content": "Rain."},
        user("!"),
    ]
    [_, called, _] = mapped(user("?"), assistant("Let me see."), CALL, assistant("Wait."), OUTPUT).messages
    assert called["content"] == "Let me see.\n\nWait."
    assert len(called["tool_calls"]) == 1


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "stop"),
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "length"),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, "content_filter"),
        ({"status": "incomplete"}, "length"),
    ],
)
def test_how_a_response_ended_is_the_finish_reason(fields: dict[str, Any], reason: str) -> None:
    pushed = {**record("a", "?"), "response": response("a", assistant("so far"), **fields)}
    assert completion_of(pushed).finish_reason == reason


def test_tools_and_formats_take_their_form_of_a_chat() -> None:
    function = {"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": True}
    grammar = {"type": "grammar", "syntax": "lark", "definition": "start: /a/"}
    custom = {"type": "custom", "name": "shell", "format": grammar}
    completion = mapped(
        user("?"),
        tools=[function, custom, {"type": "web_search"}],
        tool_choice={"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "weather"}]},
        text={"format": {"type": "json_schema", "name": "mood", "schema": {"type": "object"}}, "verbosity": "low"},
        reasoning={"effort": "low", "summary": "auto"},
    )
    assert completion.parameters == {
        "tools": [
            {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}, "strict": True}},
            {
                "type": "custom",
                "custom": {
                    "name": "shell",
                    "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: /a/"}},
                },
            },
        ],
        "tool_choice": {
            "type": "allowed_tools",
            "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "weather"}}]},
        },
        "response_format": {"type": "json_schema", "json_schema": {"name": "mood", "schema": {"type": "object"}}},
        "verbosity": "low",
        "reasoning_effort": "low",
    }
    assert mapped(user("?"), tool_choice={"type": "function", "name": "f"}).request["tool_choice"] == {
        "type": "function",
        "function": {"name": "f"},
    }
    assert "tool_choice" not in mapped(user("?"), tool_choice={"type": "web_search"}).request


UNSAID = {
    "a hosted tool": ([user("?"), SEARCH], "web_search_call"),
    "a kind of tomorrow": ([user("?"), {"type": "telepathy", "role": "user"}], "telepathy"),
    "a file by URL": ([user([{"type": "input_file", "file_url": "https://x"}])], "file part"),
    "an image by id": ([user([{"type": "input_image", "file_id": "file-1"}])], "image part"),
    "an image in an output": (
        [user("?"), CALL, {**OUTPUT, "output": [{"type": "input_image", "image_url": "https://x"}]}],
        "image part",
    ),
    "a call without output": ([user("?"), CALL, user("!")], "tool call without its output"),
    "an output without call": ([user("?"), OUTPUT], "tool call without its output"),
}


@pytest.mark.parametrize(("items", "kind"), UNSAID.values(), ids=UNSAID)
def test_what_no_chat_can_say_is_kept_and_marked(items: list[dict[str, Any]], kind: str) -> None:
    completion = mapped(*items)
    assert completion.untrainable == f"No chat completion can say: {kind}."
    assert completion.original is not None
    assert completion.original["input_items"] == items
    assert completion.choice["message"]["content"] == "answer a"


def test_a_hosted_call_in_the_answer_is_marked_too() -> None:
    completion = completion_of(record("a", "?", SEARCH, assistant("Found.")))
    assert completion.untrainable == "No chat completion can say: web_search_call."
    assert completion.choice["message"]["content"] == "Found."


def test_what_only_the_original_tells_apart_has_another_hash() -> None:
    first, other = (mapped(user("?"), include=[name]) for name in "ab")
    assert first.messages == other.messages
    assert first.content_hash != other.content_hash


# ---------------------------------------------------------------- failed calls

ERROR = {"message": "Rate limit reached", "type": "requests", "param": None, "code": "rate_limit_exceeded"}


def test_a_failed_call_is_a_completion_without_a_choice() -> None:
    chat = completion_of({**loop.record(1, split="train", tag="e"), "response": {"error": ERROR}})
    asked = completion_of({**record("a", "?"), "response": {"error": ERROR}})
    ended = completion_of(
        {**record("a", "?"), "response": response("a", status="failed", error={"code": "server_error", "message": "x"})}
    )
    for completion in (chat, asked, ended):
        assert completion.failed
        assert completion.finish_reason is None
        assert not completion.has_tools
        assert completion.response["choices"] == []
        ChatCompletion.model_validate({**completion.response, "created": completion.created}, strict=True)
    assert chat.response["error"] == asked.response["error"] == ERROR
    assert ended.response["error"] == {"code": "server_error", "message": "x"}
    assert asked.messages == [{"role": "user", "content": "?"}]
    assert asked.original is not None
    assert not mapped(user("?")).failed


def test_the_same_failure_at_another_time_is_another_completion() -> None:
    failed = {**loop.record(1, split="train", tag="e"), "response": {"error": ERROR}}
    ids = [completion_of({**failed, "created": at}).id for at in (1, 1, 2)]
    assert ids[0] == ids[1] != ids[2]


# ---------------------------------------------------------------- chains


def push(system: System, *records: dict[str, Any]) -> dict[str, Any]:
    status, answer = system.call("POST", "/v1/captures", "\n".join(json.dumps(record) for record in records).encode())
    system.settle()
    assert status in {202, 400}
    return answer


TURNS = [
    record("1", "one", REASONING, CALL, instructions="Be kind."),
    record("2", [OUTPUT, user("two")], previous="1", instructions="Be brief."),
    record("3", "three", previous="2"),
]
WHOLE = [
    user("one"),
    {"role": "assistant", "content": None, "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}
    ]},
    {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
    user("two"),
    {"role": "assistant", "content": "answer 2"},
    user("three"),
]  # fmt: skip


def chained(system: System) -> None:
    client = client_of(system)
    read = [client.chat.completions.messages.list(f"resp_{name}").data for name in "23"]
    assert [message.content for message in read[0]] == ["Be brief.", "one", None, "rain", "two"]
    assert [message.content for message in read[1]] == [message["content"] for message in WHOLE]
    whole = system.ok("GET", "/v1/chat/completions/resp_3")
    assert len(whole["original"]["input_items"]) == 7
    assert whole["original"]["request"] == TURNS[2]["request"]
    assert whole["untrainable"] is None


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_chain_in_one_push_is_resolved_in_any_order(order: tuple[int, ...], system: System) -> None:
    pushed = push(system, *(TURNS[number] for number in order))
    assert pushed["refused"] == []
    assert pushed["ids"] == [f"resp_{number + 1}" for number in order]
    chained(system)


def test_a_chain_is_resolved_from_what_is_stored(system: System) -> None:
    for turn in TURNS:
        assert push(system, turn)["accepted"] == 1
    chained(system)
    assert push(system, *TURNS)["renamed"] == []


def test_without_the_response_before_it_a_response_is_refused(system: System) -> None:
    pushed = push(system, TURNS[2], TURNS[1], record("4", "alone"))
    assert pushed["ids"] == ["resp_4"]
    assert [(refusal["index"], refusal["code"], refusal["param"]) for refusal in pushed["refused"]] == [
        (0, "previous_response_not_found", "request.previous_response_id"),
        (1, "previous_response_not_found", "request.previous_response_id"),
    ]
    assert "resp_2" in pushed["refused"][0]["message"]
    with pytest.raises(ApiError) as refusal:
        completion_of(TURNS[1])
    assert refusal.value.code == "previous_response_not_found"


def test_behind_a_deleted_response_none_is_taken(system: System) -> None:
    push(system, TURNS[0])
    system.ok("DELETE", "/v1/chat/completions/resp_1")
    pushed = push(system, *TURNS, record("4", "alone"))
    assert [refusal["code"] for refusal in pushed["refused"]] == ["deleted", "deleted", "previous_response_not_found"]


def test_a_circle_is_refused_and_what_is_beside_it_is_not(system: System) -> None:
    circle = [record("a", "x", previous="b"), record("b", "x", previous="a"), record("c", "x", previous="c")]
    pushed = push(system, *circle, record("d", "x", previous="a"), TURNS[0], record("e", "x", previous="1"))
    assert pushed["ids"] == ["resp_1", "resp_e"]
    assert {refusal["code"] for refusal in pushed["refused"]} == {"previous_response_not_found"}
    assert [refusal["index"] for refusal in pushed["refused"]] == [0, 1, 2, 3]


def test_a_chat_completion_is_not_continued_by_a_response(system: System) -> None:
    push(system, loop.record(1, split="train", tag="chat"))
    continued = record("2", "x")
    continued["request"]["previous_response_id"] = "chatcmpl-chat-1"
    (refusal,) = push(system, continued)["refused"]
    assert (refusal["code"], refusal["param"]) == ("invalid_value", "request.previous_response_id")


def test_a_chain_that_grows_without_end_is_cut(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chains, "_MOST_HISTORY", 1_000)
    turns = [record("0", "x" * 200), *(record(str(n), "x" * 200, previous=str(n - 1)) for n in range(1, 6))]
    pushed = push(system, *turns)
    codes = [refusal["code"] for refusal in pushed["refused"]]
    assert pushed["accepted"] == 2
    assert codes == ["history_too_large", *["previous_response_not_found"] * 3]
    # What was too much in one push is taken in the next ones.
    assert push(system, *turns[2:])["ids"] == ["resp_2"]


# ---------------------------------------------------------------- what the API shows


def test_a_response_is_read_with_the_official_sdk(system: System) -> None:
    push(
        system,
        record("a", "?", SEARCH, assistant("Found."), metadata={"team": "mail"}),
        loop.record(1, split="s", tag="t"),
    )
    client = client_of(system)
    (listed,) = client.chat.completions.list(metadata={"team": "mail"}).data
    document = system.ok("GET", "/v1/chat/completions/resp_a")
    ChatCompletion.model_validate(document, strict=True)
    assert listed.choices[0].message.content == "Found."
    assert listed.usage is not None
    assert listed.usage.prompt_tokens == 9
    assert document["untrainable"] == "No chat completion can say: web_search_call."
    assert document["original"]["response"]["output"][0] == SEARCH
    plain = system.ok("GET", "/v1/chat/completions/chatcmpl-t-1")
    assert "original" not in plain
    assert plain["untrainable"] is None


# ---------------------------------------------------------------- what is refused


def broken(place: str, value: Any) -> dict[str, Any]:
    items = [user([{"type": "input_text", "text": "x"}]), CALL, OUTPUT]
    tools = [{"type": "function", "name": "f", "parameters": {}}]
    document = json.loads(json.dumps(record("a", items, tools=tools, text={})))
    *way, last = place.split(".")
    inner: Any = document
    for step in way:
        inner = inner[int(step)] if step.isdigit() else inner[step]
    inner[last] = value
    return document


REFUSED = {
    "no model": ("request.model", None, "request.model"),
    "a number as input": ("request.input", 3, "request.input"),
    "no input": ("request.input", None, "request.input"),
    "empty input": ("request.input", [], "request.input"),
    "only reasoning": ("request.input", [REASONING], "request.input"),
    "an item that is text": ("request.input", ["x"], "request.input[0]"),
    "an item without type": ("request.input", [{"text": "x"}], "request.input[0].type"),
    "an item of a type that is a list": ("request.input", [{"type": []}], "request.input[0].type"),
    "a reference to an item": ("request.input", [{"type": "item_reference", "id": "msg_1"}], "request.input[0]"),
    "a made-up role": ("request.input.0.role", "tool", "request.input[0].role"),
    "content that is a number": ("request.input.0.content", 3, "request.input[0].content"),
    "a part that is text": ("request.input.0.content", ["x"], "request.input[0].content[0]"),
    "text that is a number": ("request.input.0.content.0.text", 3, "request.input[0].content[0].text"),
    "arguments that are an object": ("request.input.1.arguments", {}, "request.input[1].arguments"),
    "an empty call id": ("request.input.1.call_id", "", "request.input[1].call_id"),
    "an output that is a number": ("request.input.2.output", 3, "request.input[2].output"),
    "instructions that are a list": ("request.instructions", [], "request.instructions"),
    "a conversation": ("request.conversation", "conv_1", "request.conversation"),
    "a prompt at the provider": ("request.prompt", {"id": "pmpt_1"}, "request.prompt"),
    "a previous response that is a number": (
        "request.previous_response_id",
        3,
        "request.previous_response_id",
    ),
    "tools that are no list": ("request.tools", {}, "request.tools"),
    "a tool without name": ("request.tools.0.name", None, "request.tools[0].name"),
    "a choice without name": ("request.tool_choice", {"type": "function"}, "request.tool_choice.name"),
    "a format that is text": ("request.text.format", "json", "request.text.format"),
    "metadata of numbers": ("request.metadata", {"a": 1}, "request.metadata.a"),
    "an endless id": ("response.id", "x" * 257, "response.id"),
    "created in milliseconds": ("response.created_at", 1.79e12, "response.created_at"),
    "not ended": ("response.status", "in_progress", "response.status"),
    "output that is text": ("response.output", "x", "response.output"),
    "an output part without text": ("response.output.0.content.0.text", None, "response.output[0].content[0].text"),
    "usage of text": ("response.usage", {"input_tokens": "9", "output_tokens": 1}, "response.usage.input_tokens"),
    "negative usage": ("response.usage", {"input_tokens": -1, "output_tokens": 1}, "response.usage.input_tokens"),
    "an error that is text": ("response.error", "no", "response.error"),
}


@pytest.mark.parametrize(("place", "value", "param"), REFUSED.values(), ids=REFUSED)
def test_a_malformed_response_is_refused_naming_its_field(place: str, value: Any, param: str) -> None:
    with pytest.raises(ApiError) as refusal:
        completion_of(broken(place, value))
    assert refusal.value.param == param
    assert param in refusal.value.message


def test_malformed_neighbours_cost_a_sound_record_nothing(system: System) -> None:
    lines = [
        orjson.dumps(record("a", "\x00 é 😀")),
        b'{"request": {"model": "m", "input": "\\ud83d"}, "response": {}}',
        b'{"request": {"model": "m", "model": "n"}, "response": {}}',
        b'{"request": {"a": %b}}' % (b"[" * 300 + b"]" * 300),
        orjson.dumps(broken("response.output", 3)),
    ]
    status, pushed = system.call("POST", "/v1/captures", b"\n".join(lines))
    system.settle()
    assert (status, pushed["ids"]) == (202, ["resp_a"])
    assert [(refusal["index"], refusal["code"]) for refusal in pushed["refused"]] == [
        (1, "invalid_json"),
        (2, "duplicate_key"),
        (3, "nested_too_deeply"),
        (4, "invalid_value"),
    ]
    assert system.ok("GET", "/v1/chat/completions/resp_a")["original"]["request"]["input"] == "\x00 é 😀"
    assert len(system.ok("GET", "/v1/chat/completions")["data"]) == 1


# ---------------------------------------------------------------- anything at all

_WORDS = """
    type role content text input output id object model choices message messages error status usage tools name
    call_id arguments instructions function custom user assistant input_text output_text response completed failed
    function_call function_call_output item_reference allowed_tools tool_choice json_schema format parts whole
    original previous_response_id input_tokens output_tokens created created_at
"""
WORDS = st.sampled_from(_WORDS.split())
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(max_size=3), inner, max_size=5),
    max_leaves=20,
)  # fmt: skip
SHAPES = st.sampled_from(
    [record("a", [user("x"), CALL, OUTPUT, assistant("y")], tools=[]), loop.record(1, split="s", tag="t")]
)


def places(document: Any) -> list[tuple[Any, Any]]:
    inner: Iterable[tuple[Any, Any]] = ()
    if isinstance(document, dict | list):
        inner = document.items() if isinstance(document, dict) else enumerate(document)
    return [place for key, value in inner for place in ((document, key), *places(value))]


@settings(max_examples=examples(300))
@given(st.dictionaries(st.sampled_from(["request", "response", "metadata", "created"]), ANYTHING) | ANYTHING)
def test_any_json_is_a_completion_or_a_refusal(document: Any) -> None:
    holds(document)


@settings(max_examples=examples(300))
@given(SHAPES, st.lists(st.tuples(st.integers(0, 1 << 16), ANYTHING), min_size=1, max_size=3))
def test_a_sound_record_with_anything_in_some_places_is_a_completion_or_a_refusal(
    shape: dict[str, Any], changes: list[tuple[int, Any]]
) -> None:
    document = json.loads(json.dumps(shape))
    for number, value in changes:
        places_ = places(document)
        inner, key = places_[number % len(places_)]
        inner[key] = value
    holds(document)


def holds(document: Any) -> None:
    try:
        completion = completion_of(document)
    except ApiError:
        return
    assert Completion.read(completion.line()) == completion
    assert completion.content_hash == Completion.read(completion.line()).content_hash
    figures = (completion.prompt_tokens, completion.cached_tokens, completion.completion_tokens)
    assert all(figure is None or type(figure) is int for figure in figures)
    assert isinstance(completion.finish_reason, str | None)
    assert isinstance(completion.has_tools, bool)
    assert completion.failed or completion.choice


PAST = [record("a", "one", SEARCH, assistant("first")), record("b", "two", previous="a")]
FAILED_RESPONSE = {
    "request": {"model": "gpt-5", "input": "x"},
    "response": {"id": "resp_f", "error": {"code": "server_error", "message": "no"}},
}


def stored(name: str) -> Completion:
    reference = index.find(name)
    assert reference is not None
    [completion] = index.read([reference])
    return completion


def exported(system: System) -> list[dict[str, Any]]:
    texts = [system.ok("GET", f"/v1/exports/completions?has_error={failed}") for failed in ("false", "true")]
    return [orjson.loads(line) for text in texts for line in (text or "").splitlines()]


def test_an_exported_response_is_the_same_completion_again(system: System) -> None:
    """It lost `untrainable` and `original`."""
    system.ok("POST", "/v1/captures", [*PAST, FAILED_RESPONSE])
    system.settle()
    lines = exported(system)
    before = {line["response"]["id"]: stored(line["response"]["id"]) for line in lines}
    assert set(before) == {"resp_a", "resp_b", "resp_f"}
    assert before["resp_a"].untrainable == "No chat completion can say: web_search_call."
    # Another Stillhouse, as far as the ids know.
    again = [{**line, "response": {**line["response"], "id": line["response"]["id"] + "2"}} for line in lines]
    answered = system.ok("POST", "/v1/captures", [*again, record("c", "three", previous="a2")])
    assert answered["refused"] == []
    system.settle()
    for name, completion in before.items():
        copied = stored(f"{name}2")
        assert (copied.original, copied.untrainable) == (completion.original, completion.untrainable)
        assert (copied.created, copied.request, copied.failed) == (
            completion.created,
            completion.request,
            completion.failed,
        )
    texts = [message["content"] for message in stored("resp_c").messages]
    assert texts == ["one", "first", "three"]


def test_an_export_that_is_pushed_where_it_came_from_changes_nothing(system: System) -> None:
    system.ok("POST", "/v1/captures", PAST)
    system.settle()
    lines = exported(system)
    answered = system.ok("POST", "/v1/captures", lines)
    assert (answered["ids"], answered["renamed"]) == (["resp_a", "resp_b"], [])


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"original": 3}, "original"),
        ({"original": {"request": {}, "response": {}}}, "original.input_items"),
        ({"original": {"request": {}, "response": {"output": 3}, "input_items": []}}, "original.response.output"),
        ({"original": {"request": {}, "response": {}, "input_items": [], "more": 1}}, "original.more"),
        ({"original": {"request": {}, "response": {}, "input_items": ["hi"]}}, "original.input_items[0]"),
        (
            {"original": {"request": {}, "response": {"output": [{"type": "function_call"}]}, "input_items": []}},
            "original.response.output[0].call_id",
        ),
        ({"untrainable": "x" * 2049}, "untrainable"),
        ({"untrainable": "é" * 1025}, "untrainable"),
    ],
)
def test_an_original_of_another_shape_is_refused_by_its_field(fields: dict[str, Any], param: str) -> None:
    chat = {
        "request": {"model": "m", "messages": [{"role": "user", "content": "x"}]},
        "response": {"id": "c", "choices": [{"message": {"role": "assistant", "content": "y"}}]},
    }
    with pytest.raises(ApiError) as refusal:
        completion_of({**chat, **fields})
    assert refusal.value.param == param
