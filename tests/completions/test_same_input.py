"""Which inputs are the same question, and which are not: the keys that freezing, leaks and duplicates go by."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from completions.same_input import answer_key, input_key, prefix_keys
from tests.completions.conversations import ECHOED, call, conversations, respelt
from tests.examples import examples

CAFE = [{"role": "user", "content": "The café is open"}]


def with_results(*ids: str) -> list[dict[str, Any]]:
    """A conversation in which two calls are answered, the second first."""
    first, second = ids
    return [
        *CAFE,
        {"role": "assistant", "content": None, "tool_calls": [call(first), call(second, "{}")]},
        {"role": "tool", "tool_call_id": second, "content": "two"},
        {"role": "tool", "tool_call_id": first, "content": "one"},
    ]


def content(value: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": value}]


def called(**message: Any) -> list[dict[str, Any]]:
    return [*CAFE, {"role": "assistant", **message}, {"role": "tool", "tool_call_id": "c", "content": "42"}]


@pytest.mark.parametrize(
    "same",
    [
        [{"role": "user", "content": "The  cafe\u0301\n is open "}],
        [{"content": "The caf\u00e9 is open", "role": "user"}],
        [{"role": "user", "content": "The caf\u00e9 is\u00a0open", "name": None}],
        [{"role": "user", "content": "\uff34\uff48\uff45 caf\u00e9 is open"}],
    ],
)
def test_inputs_that_read_alike_have_one_key(same: list[dict[str, Any]]) -> None:
    assert input_key(same) == input_key(CAFE)


@pytest.mark.parametrize(
    "other",
    [
        [{"role": "user", "content": "the café is open"}],
        [{"role": "user", "content": "The cafe is open"}],
        [{"role": "system", "content": "The café is open"}],
        [{"role": "user", "content": "The café is open"}, {"role": "user", "content": ""}],
        [{"role": "user", "content": "The caféis open"}],
        [{"role": "user", "content": "The café is open", "name": "ann"}],
    ],
)
def test_inputs_that_read_otherwise_do_not(other: list[dict[str, Any]]) -> None:
    assert input_key(other) != input_key(CAFE)


def test_texts_inside_of_parts_and_tool_calls_are_normalised_too() -> None:
    def spoken(text: str) -> list[dict[str, Any]]:
        parts = [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": "u"}}]
        return [{"role": "user", "content": parts, "tool_calls": [{"function": {"arguments": text}}]}]

    assert input_key(spoken("a  b")) == input_key(spoken("a b"))
    assert input_key(spoken("a b")) != input_key(spoken("ab"))


SAME = {
    "a text and a text part": (content("a b"), content([{"type": "text", "text": "a b"}])),
    "a text and its parts": (content("one\n\ntwo"), content([{"type": "text", "text": t} for t in ("one", "two")])),
    "parts as the Responses API names them": (content("a"), content([{"type": "input_text", "text": "a"}])),
    "a part by itself": (content("a"), content({"type": "text", "text": "a"})),
    "a part that is a mere text": (content("a"), content(["a"])),
    "an empty text part": (content("a"), content([{"type": "text", "text": "a"}, {"type": "text", "text": ""}])),
    "a cache mark": (
        content([{"type": "text", "text": "a"}]),
        content([{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]),
    ),
    "a cache mark of a message": (content("a"), [{**content("a")[0], "cache_control": {"type": "ephemeral"}}]),
    "a cache mark of an image": (
        content([{"type": "image_url", "image_url": {"url": "u"}}]),
        content([{"type": "image_url", "image_url": {"url": "u"}, "cache_control": {}}]),
    ),
    "the spelling of an image": (
        content([{"type": "image_url", "image_url": {"url": "u", "detail": "auto"}}]),
        content([{"type": "input_image", "image_url": "u"}]),
    ),
    "what a client echoes": (called(content="x"), called(content="x", **ECHOED)),
    "no calls and an empty list of calls": (called(content="x"), called(content="x", tool_calls=[])),
    "no content and an empty one": (called(content="", tool_calls=[call()]), called(tool_calls=[call()])),
    "ids of calls": (with_results("call_1", "call_2"), with_results("toolu_x", "toolu_y")),
    "key order and space in arguments": (
        called(tool_calls=[call()]),
        called(tool_calls=[call(arguments='{"b":[true],"a":1}')]),
    ),
    "arguments as an object": (called(tool_calls=[call(arguments={"b": [True], "a": 1})]), called(tool_calls=[call()])),
    "no arguments": (called(tool_calls=[call(arguments="")]), called(tool_calls=[call(arguments="{}")])),
    "the place of a call in a stream": (called(tool_calls=[{**call(), "index": 0}]), called(tool_calls=[call()])),
    "a legacy call": (
        called(content=None, tool_calls=[call()]),
        [
            *CAFE,
            {"role": "assistant", "content": None, "function_call": call()["function"]},
            {"role": "function", "name": "f", "content": "42"},
        ],
    ),
    "a result's name beside its id": (
        called(tool_calls=[call()]),
        [*called(tool_calls=[call()])[:-1], {"role": "tool", "tool_call_id": "c", "name": "f", "content": "42"}],
    ),
    "ids of custom calls": tuple(
        called(tool_calls=[{"id": id_, "type": "custom", "custom": {"name": "f", "input": "x"}}]) for id_ in "ab"
    ),
    "an argument that is null": (
        called(tool_calls=[call(arguments='{"a": 1, "b": null}')]),
        called(tool_calls=[call(arguments='{"a": 1}')]),
    ),
    "a whole number": tuple(called(tool_calls=[call(arguments=f'{{"a": {number}}}')]) for number in ("1", "1.0")),
    "a system that says nothing": (content("a"), [{"role": "developer", "content": " "}, *content("a")]),
    "space without width": (content("a b"), content("\ufeffa\u200b b")),
    "a developer and a system": ([{"role": "developer", "content": "a"}], [{"role": "system", "content": "a"}]),
    "thoughts of earlier turns": (
        called(content="x"),
        called(content=[{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "x"}], reasoning="hm"),
    ),
    "a refusal in a part": (
        called(content=None, refusal="no"),
        called(content=[{"type": "refusal", "refusal": "no"}]),
    ),
}
OTHER = {
    "another text beside an image": tuple(
        content([{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": "u"}}]) for text in "ab"
    ),
    "another image": tuple(content([{"type": "image_url", "image_url": {"url": url}}]) for url in "ab"),
    "a text before or behind an image": (
        content(["a", {"type": "image_url", "image_url": {"url": "u"}}]),
        content([{"type": "image_url", "image_url": {"url": "u"}}, "a"]),
    ),
    "another function": (called(tool_calls=[call(name="f")]), called(tool_calls=[call(name="g")])),
    "other arguments": (called(tool_calls=[call()]), called(tool_calls=[call(arguments='{"a": 2, "b": [true]}')])),
    "a half": tuple(called(tool_calls=[call(arguments=f"[{number}]")]) for number in ("1", "1.5")),
    "a user who says nothing": (content("a"), [*content(""), *content("a")]),
    "1 and true": (called(tool_calls=[call(arguments="[1]")]), called(tool_calls=[call(arguments="[true]")])),
    "a custom tool's input": tuple(
        called(tool_calls=[{"id": "c", "type": "custom", "custom": {"name": "f", "input": text}}]) for text in "ab"
    ),
    "results of the other call": (with_results("a", "b"), with_results("a", "b")[:2] + with_results("b", "a")[2:]),
    "words and a refusal": (called(content="no"), called(content=None, refusal="no")),
    "another refusal": tuple(called(content=None, refusal=words) for words in ("no", "never")),
    "another voice": tuple(called(content=None, audio={"id": name}) for name in ("audio_1", "audio_2")),
    "a call and none": (called(content="x"), called(content="x", tool_calls=[call()])),
    "one turn or two": (content("a b"), [*content("a"), *content("b")]),
}


@pytest.mark.parametrize("case", SAME)
def test_what_makes_no_difference(case: str) -> None:
    first, other = SAME[case]
    assert input_key(first) == input_key(other)
    assert input_key([*first, *CAFE]) == input_key([*other, *CAFE]), "nor within a longer conversation"


@pytest.mark.parametrize("case", OTHER)
def test_what_makes_a_difference(case: str) -> None:
    first, other = OTHER[case]
    assert input_key(first) != input_key(other)


def test_an_answer_is_compared_as_an_input_is() -> None:
    plain = {"role": "assistant", "content": "yes"}
    assert answer_key(plain) == answer_key({"content": [{"type": "text", "text": "yes"}], **ECHOED, "tool_calls": []})
    assert answer_key(plain) != answer_key({**plain, "content": "no"})
    assert answer_key({"tool_calls": [call("a")]}) == answer_key({"function_call": call("b")["function"]})


@pytest.mark.parametrize(
    "odd",
    [
        {"role": ["user"], "content": 7},
        {"role": "user", "content": {"type": ["text"], "text": 3}},
        {"role": "user", "content": [None, 3, {}, [[]]]},
        {"role": "assistant", "tool_calls": "f()", "function_call": 3},
        {"role": "assistant", "tool_calls": [None, {}, {"function": {}}, {"id": 3, "function": {"name": 3}}]},
        {"role": "tool", "tool_call_id": [1], "name": {"a": 1}},
        {"role": "assistant", "tool_calls": [call(arguments="[" * 400 + "]" * 400)]},
        {},
    ],
)
def test_an_odd_message_has_a_key_too(odd: dict[str, Any]) -> None:
    assert input_key([odd]) == input_key([copy.deepcopy(odd)])
    assert input_key([odd]) != input_key(CAFE)


# ------------------------------------------------------------------ for any conversation


@settings(max_examples=examples(200))
@given(messages=conversations, data=st.data())
def test_no_spelling_makes_a_difference(messages: list[dict[str, Any]], data: st.DataObject) -> None:
    assert prefix_keys(respelt(messages, data.draw)) == prefix_keys(messages)


@settings(max_examples=examples(200))
@given(first=conversations, other=conversations)
def test_the_keys_of_a_conversation_are_those_of_its_beginnings(
    first: list[dict[str, Any]], other: list[dict[str, Any]]
) -> None:
    longer = [*first, *other]
    keys = prefix_keys(longer)
    assert keys == [input_key(longer[: number + 1]) for number in range(len(longer))]
    assert len(set(keys)) == len(longer), "a turn more is another question"


@settings(max_examples=examples(200))
@given(messages=conversations, data=st.data())
def test_another_word_is_another_question_wherever_it_stands(
    messages: list[dict[str, Any]], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(messages) - 1))
    changed = copy.deepcopy(messages)
    body = changed[place]["content"]
    changed[place]["content"] = [*body, "new word"] if isinstance(body, list) else f"{body} new word"
    keys, others = prefix_keys(messages), prefix_keys(changed)
    assert keys[:place] == others[:place]
    assert not set(keys[place:]) & set(others[place:])


@settings(max_examples=examples(200))
@given(messages=conversations)
def test_the_messages_are_left_as_they_are(messages: list[dict[str, Any]]) -> None:
    before = copy.deepcopy(messages)
    assert input_key(messages) == input_key(before)
    assert messages == before
