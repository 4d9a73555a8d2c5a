"""What a row asks a model, and what graders see of the answer."""

from __future__ import annotations

from typing import Any

import pytest

from evals.data_sources import CompletionsSource, JsonlSource, ResponsesSource
from graders import NotGradable
from grading.sample import asked_json, request_for

ROWS = {"type": "file_content", "content": [{"item": {}}]}
MESSAGES = [{"role": "user", "content": "hello"}]


def asked(row: dict[str, Any], **fields: Any) -> dict[str, Any]:
    source = CompletionsSource.model_validate({"type": "completions", "source": ROWS, "model": "m", **fields})
    return request_for(row, source)


def test_the_stored_parameters_hold_where_the_run_has_none_of_its_own() -> None:
    row = {"item": {"input": MESSAGES}, "request": {"temperature": 0, "top_p": 0.5, "tools": [1]}}
    assert asked(row) == {"model": "m", "messages": MESSAGES, "temperature": 0, "top_p": 0.5, "tools": [1]}
    params = {"temperature": 1, "seed": 3, "max_completions_tokens": 9, "response_format": None}
    assert asked(row, sampling_params=params) == {
        "model": "m",
        "messages": MESSAGES,
        "temperature": 1,
        "top_p": 0.5,
        "tools": [1],
        "seed": 3,
        "max_completion_tokens": 9,
    }


def test_parameters_make_no_other_request() -> None:
    row = {"item": {"input": MESSAGES}, "request": {"stream": True, "n": 3}}
    params = {"model": "other", "messages": [], "stream": True, "n": 2, "store": True, "temperature": 0}
    assert asked(row, sampling_params=params) == {"model": "m", "messages": MESSAGES, "temperature": 0}


def test_messages_come_from_a_path_of_the_item_or_from_a_template() -> None:
    item = {"input": MESSAGES, "deep": {"turns": [*MESSAGES, *MESSAGES]}, "text": "{{ item.input }}"}
    reference = {"type": "item_reference", "item_reference": "item.deep.turns"}
    assert asked({"item": item}, input_messages=reference)["messages"] == MESSAGES * 2
    template = {
        "type": "template",
        "template": [
            {"role": "developer", "content": "Say yes."},
            {"type": "message", "role": "user", "content": {"type": "input_text", "text": "<{{item.text}}>"}},
        ],
    }
    assert asked({"item": item}, input_messages=template)["messages"] == [
        {"role": "developer", "content": "Say yes."},
        {"role": "user", "content": "<{{ item.input }}>"},
    ]


def test_the_runs_own_system_prompt_stands_in_the_place_of_the_rows() -> None:
    item = {"input": [{"role": "developer", "content": "long"}, *MESSAGES, {"role": "system", "content": "longer"}]}
    short = {"role": "system", "content": "Sort."}
    assert asked({"item": item}, system_prompt={"text": "Sort."})["messages"] == [short, *MESSAGES]
    assert asked({"item": item}, system_prompt={})["messages"] == MESSAGES
    with pytest.raises(NotGradable, match="no message"):
        asked({"item": {"input": [short]}}, system_prompt={"text": None})


def test_parameters_of_the_responses_api_get_their_names_in_a_chat() -> None:
    tool = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}
    text = {"format": {"type": "json_schema", "name": "s", "schema": {"type": "object"}}}
    fields = {"model": "m", "sampling_params": {"seed": 1, "text": text, "tools": [tool]}}
    source = ResponsesSource.model_validate({"type": "responses", "source": ROWS, **fields})
    row = {"item": {"input": [{"type": "message"}]}, "messages": MESSAGES}
    assert request_for(row, source) == {
        "model": "m",
        "messages": MESSAGES,
        "seed": 1,
        "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}}},
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}, "strict": True}}],
    }


@pytest.mark.parametrize("item", [{}, {"input": []}, {"input": "text"}])
def test_an_item_without_messages_cannot_be_sampled(item: dict[str, Any]) -> None:
    with pytest.raises(NotGradable, match="input"):
        asked({"item": item})


SCHEMA = {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}}}
OF_RESPONSES = {"text": {"format": {"type": "json_schema", "name": "s", "schema": {"type": "object"}}}}


@pytest.mark.parametrize(
    ("row", "run", "asked_for_json"),
    [
        ({"request": {"response_format": SCHEMA}}, {}, True),
        ({"request": {"response_format": SCHEMA}}, {"model": "m"}, True),
        ({"request": {"response_format": {"type": "json_object"}}}, {}, True),
        ({"request": {"response_format": {"type": "text"}}}, {}, False),
        ({"request": {"response_format": None}}, {}, False),
        ({"request": {}}, {}, False),
        ({"request": {}}, {"model": "m", "sampling_params": {"response_format": SCHEMA}}, True),
        ({}, {"model": "m", "sampling_params": {"response_format": SCHEMA}}, True),
        ({"request": {"response_format": SCHEMA}}, {"model": "m", "sampling_params": {"response_format": None}}, False),
        ({}, {"type": "responses", "model": "m", "sampling_params": OF_RESPONSES}, True),
        (
            {"request": {}},
            {"type": "responses", "model": "m", "sampling_params": {"text": {"format": {"type": "text"}}}},
            False,
        ),
        ({}, {"model": "m"}, False),
        ({}, {}, None),
        ({}, {"type": "jsonl"}, None),
    ],
)
def test_json_is_asked_for_by_the_row_or_by_the_run(
    row: dict[str, Any], run: dict[str, Any], asked_for_json: bool | None
) -> None:
    kinds: dict[str, Any] = {"jsonl": JsonlSource, "responses": ResponsesSource, "completions": CompletionsSource}
    fields = {"type": "completions", "source": ROWS, **run}
    assert asked_json({"item": {}, **row}, kinds[fields["type"]].model_validate(fields)) is asked_for_json
