"""The line that a completion becomes, whatever its client wrote, and that OpenAI's trainer takes it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assembly.training_line import history_turns, training_line
from completions.completion import Completion
from completions.same_input import input_key
from distillations.formats.openai_chat import FORMAT
from tests.completions.conversations import conversations, respelt
from tests.distilling import build
from tests.examples import examples

FUNCTION = {"name": "f", "arguments": "{}"}
CALL = {"id": "c", "type": "function", "function": FUNCTION}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}
ANSWER = {"role": "assistant", "content": "yes"}


def line(
    messages: list[dict[str, Any]] | None = None,
    answer: dict[str, Any] | None = None,
    *,
    trains_history: bool = False,
    **request: Any,
) -> dict[str, Any]:
    pushed = build.record(1, "mail", choice={"message": {"role": "assistant", **(answer or ANSWER)}})
    pushed["request"] |= {"messages": messages or build.asked("mail"), **request}
    return training_line(Completion.of(pushed, at=1), trains_history=trains_history)


def messages_of(*messages: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
    """The messages before the answer in the line, which OpenAI's trainer takes."""
    made = line([*messages, *build.asked("so?")], **options)
    assert FORMAT.fault(made) is None
    return made["messages"][:-2]


def answered(**answer: Any) -> dict[str, Any]:
    """The answer in the line, which OpenAI's trainer takes."""
    made = line(answer=answer)
    assert FORMAT.fault(made) is None
    return made["messages"][-1]


def test_a_line_is_openais_supervised_format_and_nothing_else() -> None:
    history = [
        {"role": "system", "content": "Sort mails.", "name": "desk", "note": "private"},
        {"role": "user", "content": "mail"},
        {"role": "assistant", "content": None, "tool_calls": [{**CALL, "index": 0}]},
        {"role": "tool", "content": "found", "tool_call_id": "c", "name": "f"},
    ]
    answer = {"role": "assistant", "content": "billing", "refusal": None, "annotations": [], "audio": None}
    pushed = build.record(1, "x", choice={"message": answer}, metadata={"secret": "tag"})
    request = {"model": build.TEACHER, "messages": history, "tools": [TOOL], "parallel_tool_calls": False}
    made = training_line(Completion.of({**pushed, "request": {**request, "temperature": 1}}, at=1))
    assert made == {
        "messages": [
            {"role": "system", "content": "Sort mails.", "name": "desk"},
            {"role": "user", "content": "mail"},
            {"role": "assistant", "tool_calls": [CALL], "weight": 0},
            {"role": "tool", "content": "found", "tool_call_id": "c"},
            {"role": "assistant", "content": "billing"},
        ],
        "tools": [TOOL],
        "parallel_tool_calls": False,
    }
    assert FORMAT.fault(made) is None


def test_assistant_turns_of_the_history_train_only_where_it_is_asked_for() -> None:
    turns = [*build.asked("one"), ANSWER, *build.asked("two"), {"role": "assistant", "content": "no", "weight": 1}]
    weights = [message.get("weight", 1) for message in messages_of(*turns)]
    assert weights == [1, 0, 1, 0]
    assert [message.get("weight") for message in messages_of(*turns, trains_history=True)] == [None] * 4
    assert "weight" not in line([*turns, *build.asked("three")])["messages"][-1]
    assert history_turns(line([*turns, *build.asked("three")])) == 2


@pytest.mark.parametrize(
    ("answer", "learnt"),
    [
        ({"content": "yes", "refusal": None, "tool_calls": None, "function_call": None}, {"content": "yes"}),
        ({"content": "yes", "tool_calls": []}, {"content": "yes"}),
        ({"content": [{"type": "text", "text": "y"}, {"type": "text", "text": "es"}]}, {"content": "yes"}),
        ({"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "yes"}]}, {"content": "yes"}),
        ({"content": "yes", "reasoning_content": "hm"}, {"content": "yes"}),
        ({"content": None, "tool_calls": [CALL]}, {"tool_calls": [CALL]}),
        ({"content": "", "tool_calls": [CALL]}, {"content": "", "tool_calls": [CALL]}),
        ({"content": None, "function_call": FUNCTION}, {"tool_calls": [{**CALL, "id": "call_no_1"}]}),
        ({"tool_calls": [{"id": "", "function": {"name": "f", "arguments": {}}}]}, {
            "tool_calls": [{**CALL, "id": "call_no_1"}]}),
        ({"tool_calls": [{"id": "c", "function": {"name": "f"}, "extra": 1}]}, {"tool_calls": [CALL]}),
    ],
)  # fmt: skip
def test_an_answer_in_one_spelling(answer: dict[str, Any], learnt: dict[str, Any]) -> None:
    assert answered(**answer) == {"role": "assistant", **learnt}


@pytest.mark.parametrize(
    ("turn", "read"),
    [
        ({"content": None, "refusal": "I cannot."}, "I cannot."),
        ({"content": [{"type": "refusal", "refusal": "I cannot."}]}, "I cannot."),
        ({"content": None, "audio": {"id": "audio_1", "transcript": "Hello."}}, "Hello."),
        ({"content": ""}, ""),
    ],
)
def test_a_turn_of_the_history_is_text(turn: dict[str, Any], read: str) -> None:
    assert messages_of({"role": "assistant", **turn}) == [{"role": "assistant", "content": read, "weight": 0}]


def test_legacy_functions_become_tools() -> None:
    history = [
        *build.asked("mail"),
        {"role": "assistant", "content": None, "function_call": FUNCTION},
        {"role": "function", "name": "f", "content": "42"},
    ]
    functions = [{"name": "f", "description": None, "parameters": {"type": "object"}}]
    assert messages_of(*history, functions=functions)[1:] == [
        {"role": "assistant", "tool_calls": [{**CALL, "id": "call_no_1"}], "weight": 0},
        {"role": "tool", "content": "42", "tool_call_id": "call_no_1"},
    ]
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    assert line(history, functions=functions)["tools"] == [tool]


@pytest.mark.parametrize(
    ("content", "written"),
    [
        ([{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}], "a"),
        ([{"type": "input_text", "text": "a"}, "b"], [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]),
        ([{"type": "image_url", "image_url": "u"}], [{"type": "image_url", "image_url": {"url": "u"}}]),
        ([{"type": "input_image", "image_url": "u", "detail": "low"}], [
            {"type": "image_url", "image_url": {"url": "u", "detail": "low"}}]),
        ("", ""),
    ],
)  # fmt: skip
def test_a_question_in_one_spelling(content: Any, written: Any) -> None:
    assert messages_of({"role": "user", "content": content}) == [{"role": "user", "content": written}]


@pytest.mark.parametrize(
    "request_fields",
    [
        {"tools": None},
        {"tools": []},
        {"tools": None, "functions": None, "parallel_tool_calls": True},
        {"functions": []},
        {"parallel_tool_calls": None},
    ],
)
def test_what_offers_no_tool_is_no_field(request_fields: dict[str, Any]) -> None:
    assert line(**request_fields).keys() == {"messages"}


def test_nothing_that_is_null_or_unknown_is_in_a_line() -> None:
    cached = {**TOOL, "cache_control": {"type": "ephemeral"}}
    made = line(tools=[cached], parallel_tool_calls=None, answer={"content": "yes", "logprobs": None})
    assert made["tools"] == [TOOL]
    assert b"null" not in orjson.dumps(made)


@pytest.mark.parametrize(
    ("messages", "answer", "place"),
    [
        ([{"role": "assistant", "content": None}], ANSWER, "messages[1]"),
        (
            [{"role": "user", "content": [{"type": "file", "file": {"file_id": "x"}}]}],
            ANSWER,
            "messages[1].content",
        ),
        (
            [{"role": "system", "content": [{"type": "image_url", "image_url": "u"}]}],
            ANSWER,
            "messages[1].content",
        ),
        ([{"role": "assistant", "tool_calls": [CALL]}], ANSWER, "a tool's result"),
        ([{"role": "tool", "tool_call_id": ["c"], "content": "42"}], ANSWER, "messages[1].tool_call_id"),
        ([], {"content": None, "tool_calls": ["odd"]}, "messages[1].tool_calls[0]"),
    ],
)
def test_what_the_trainer_would_refuse_is_named_without_its_text(
    messages: list[dict[str, Any]], answer: dict[str, Any], place: str
) -> None:
    problem = str(FORMAT.fault(line([*build.asked("mail"), *messages], answer)) or "")
    assert problem
    assert place in problem
    assert "mail" not in problem


@pytest.mark.parametrize(
    "change",
    [
        {"messages": build.asked("mail")},
        {"messages": [*build.asked("mail"), {**ANSWER, "weight": 0}]},
        {"parallel_tool_calls": True},
        {"tools": []},
        {"tools": [{"type": "web_search"}]},
        {"functions": []},
    ],
)
def test_a_line_of_another_form_is_no_example(change: dict[str, Any]) -> None:
    sound = {"messages": [*build.asked("mail"), ANSWER]}
    assert FORMAT.fault(sound) is None
    assert FORMAT.fault({**sound, **change})


@settings(max_examples=examples(100))
@given(messages=conversations, data=st.data())
def test_a_line_asks_what_the_completion_asked_whatever_the_spelling(
    messages: list[dict[str, Any]], data: st.DataObject
) -> None:
    spelt = respelt([*messages, *build.asked("so?")], data.draw)
    made = line(spelt)
    assert FORMAT.fault(made) is None
    assert input_key(made["messages"][:-1]) == input_key(spelt)
    assert b"null" not in orjson.dumps(made)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_what_the_teacher_thought_is_learnt_where_it_is_asked_for(field: str) -> None:
    answer = {"role": "assistant", "content": "yes", field: "It was paid."}
    made = Completion.of(build.record(1, "mail", choice={"message": answer}), at=1)
    assert training_line(made)["messages"][-1] == ANSWER
    taught = training_line(made, reasoning=True)
    assert taught["messages"][-1]["content"] == "<think>\nIt was paid.\n</think>\n\nyes"
    assert FORMAT.fault(taught) is None
    assert training_line(Completion.of(build.record(1, "mail"), at=1), reasoning=True)["messages"][-1] == ANSWER
