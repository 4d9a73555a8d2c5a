"""What graders see of an answer, whoever gave it and however it is written down."""

from __future__ import annotations

from typing import Any

import pytest

from graders.grade import AnswerLacks, InvalidVariable
from graders.namespace import namespace
from graders.template import render

FUNCTION = {"type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
CUSTOM = {"id": "d", "type": "custom", "custom": {"name": "g", "input": "x"}}


def seen(message: dict[str, Any], *, asked_json: bool | None = False, **more: Any) -> dict[str, Any]:
    choices = [{"index": 0, "message": {"role": "assistant", **message}}]
    return namespace({"model": "m", "choices": choices, **more}, asked_json=asked_json)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("yes", "yes"),
        (None, ""),
        ("", ""),
        ([{"type": "text", "text": "y"}, {"type": "text", "text": "es"}], "yes"),
        ([{"type": "output_text", "text": "yes", "annotations": []}], "yes"),
        ([{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "yes"}], "yes"),
        ([{"type": "text", "text": "yes"}, {"type": "reference", "reference_ids": [1]}], "yes"),
        ([{"type": "refusal", "refusal": "no"}], ""),
        ({"type": "text", "text": "yes"}, "yes"),
        (7, ""),
    ],
)
def test_the_text_is_text_whatever_the_content(content: Any, text: str) -> None:
    assert seen({"content": content})["output_text"] == text


@pytest.mark.parametrize(
    ("message", "tools"),
    [
        ({}, []),
        ({"tool_calls": None}, []),
        ({"tool_calls": [{"id": "c", **FUNCTION}]}, [{"id": "c", **FUNCTION}]),
        ({"tool_calls": [{"id": "c", **FUNCTION}, CUSTOM]}, [{"id": "c", **FUNCTION}, CUSTOM]),
        ({"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": {"a": 1}}}]}, [
            {"type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}]),
        ({"tool_calls": [{"function": {"name": "f", "arguments": None}}]}, [
            {"type": "function", "function": {"name": "f", "arguments": "{}"}}]),
        ({"function_call": FUNCTION["function"]}, [FUNCTION]),
        ({"tool_calls": [], "function_call": FUNCTION["function"]}, [FUNCTION]),
        ({"tool_calls": ["odd", {"id": "c"}]}, ["odd", {"id": "c"}]),
        ({"tool_calls": "odd", "function_call": "odd"}, []),
    ],
)  # fmt: skip
def test_the_tools_are_calls_as_a_chat_has_them_today(message: dict[str, Any], tools: list[Any]) -> None:
    assert seen({"content": None, **message})["output_tools"] == tools


@pytest.mark.parametrize(
    "message",
    [
        {"content": "yes", "reasoning_content": "hm"},
        {"content": "yes", "reasoning": "hm"},
        {"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "yes"}]},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]},
    ],
)
def test_the_reasoning_is_told_apart_from_the_answer(message: dict[str, Any]) -> None:
    assert seen(message)["reasoning"] == "hm"
    assert "hm" not in seen(message)["output_text"]


def test_without_reasoning_or_audio_there_is_none() -> None:
    plain = seen({"content": "yes"})
    assert (plain["reasoning"], plain["output_audio"]) == ("", None)


def test_spoken_answers_have_a_transcript() -> None:
    audio = {"id": "audio_1", "data": "UklGRg==", "transcript": "Good morning."}
    shown = seen({"content": None, "audio": audio})
    assert render("{{ sample.output_audio.transcript }}", {"sample": shown}) == "Good morning."


@pytest.mark.parametrize(
    ("text", "asked_json", "value"),
    [
        ('{"label": "a"}', True, {"label": "a"}),
        ('{"label": "a"}', None, {"label": "a"}),
        ("no JSON", True, None),
        ("no JSON", None, None),
        ("", True, None),
        ([{"type": "text", "text": '{"label": '}, {"type": "text", "text": '"a"}'}], True, {"label": "a"}),
    ],
)
def test_json_is_parsed_where_it_was_asked_for_or_may_have_been(text: Any, asked_json: Any, value: Any) -> None:
    assert seen({"content": text}, asked_json=asked_json)["output_json"] == value


def test_a_text_that_nobody_asked_as_json_is_none() -> None:
    assert "output_json" not in seen({"content": "12"}, asked_json=False)


def test_what_a_row_brings_itself_goes_before_what_its_message_says() -> None:
    own = {"output_text": "b", "output_json": [1], "output_tools": [FUNCTION], "output_audio": {"transcript": "t"}}
    shown = seen({"content": "a"}, **own, grades=[{"name": "g"}])
    assert {name: shown[name] for name in own} == own
    assert shown["grades"] == [{"name": "g"}]


def test_names_of_another_kind_say_nothing_about_the_answer() -> None:
    shown = seen({"content": "a"}, reasoning={"effort": "low"}, output_text=None, output_tools="f")
    assert (shown["output_text"], shown["output_tools"], shown["reasoning"]) == ("a", [], "")


def test_without_an_answer_nothing_is_seen() -> None:
    assert namespace({}, asked_json=True) == {}


@pytest.mark.parametrize("path", ["output_json.label", "output_tools[0].function.name", "output_audio.transcript"])
def test_what_an_answer_lacks_is_told_apart_from_what_no_answer_has(path: str) -> None:
    with pytest.raises(AnswerLacks):
        render(f"{{{{ sample.{path} }}}}", {"sample": seen({"content": "no JSON"}, asked_json=True)})
    for namespaces in ({"sample": {}}, {"item": {}}):
        with pytest.raises(InvalidVariable) as refused:
            render(f"{{{{ sample.{path} }}}}", namespaces)
        assert not isinstance(refused.value, AnswerLacks)
