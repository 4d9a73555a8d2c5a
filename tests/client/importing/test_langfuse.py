import json

import pytest

from stillhouse.importing.files import FileSource, LocalFolder
from stillhouse.importing.langfuse import record_of
from stillhouse.importing.source import Skipped, Unmapped
from tests.client.importing.build import imported, written

MESSAGES = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}]
CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
TOOL = {"type": "function", "function": {"name": "look"}}


def api(**more):
    """An observation as `GET /api/public/observations` gives it."""
    return {
        "id": "obs-1",
        "traceId": "trace-1",
        "type": "GENERATION",
        "name": "triage",
        "startTime": "2024-05-29T13:46:19.500Z",
        "endTime": "2024-05-29T13:46:20.250Z",
        "model": "gpt-4o",
        "modelParameters": {"temperature": "0.2", "max_tokens": "Infinity", "top_p": 1, "user": "x"},
        "input": MESSAGES,
        "output": {"role": "assistant", "content": "hello"},
        "usageDetails": {"input": 5, "input_cached_tokens": 2, "output": 3, "total": 10},
        "metadata": {"team": "a", "tries": 2, "nested": {"b": 1}},
        "level": "DEFAULT",
        "environment": "production",
        **more,
    }


def exported(**more):
    """The same as the blob storage export writes it."""
    return {
        "id": "obs-1",
        "trace_id": "trace-1",
        "type": "GENERATION",
        "name": "triage",
        "start_time": "2024-05-29 13:46:19.500000",
        "end_time": "2024-05-29 13:46:20.250000",
        "provided_model_name": "gpt-4o",
        "model_parameters": '{"temperature":0.2,"top_p":1,"user":"x"}',
        "input": json.dumps(MESSAGES),
        "output": json.dumps({"role": "assistant", "content": "hello"}),
        "usage_details": {"input": 5, "input_cached_tokens": 2, "output": 3, "total": 10},
        "metadata": {"team": "a", "tries": 2, "nested": {"b": 1}},
        "level": "DEFAULT",
        "environment": "production",
        "prompt_name": "",
        **more,
    }


@pytest.mark.parametrize("row", [api(), exported()])
def test_a_generation_of_the_api_and_of_an_export(row):
    record = record_of(row)
    assert record.request == {"model": "gpt-4o", "messages": MESSAGES, "temperature": 0.2, "top_p": 1}
    assert record.response["choices"][0]["message"] == {"role": "assistant", "content": "hello"}
    assert record.response["usage"] == {
        "prompt_tokens": 7,
        "completion_tokens": 3,
        "total_tokens": 10,
        "prompt_tokens_details": {"cached_tokens": 2},
    }
    assert (record.id, record.origin, record.created, record.latency_ms) == ("obs-1", "langfuse", 1716990379, 750)
    assert record.metadata == {
        "team": "a",
        "tries": "2",
        "nested": '{"b": 1}',
        "name": "triage",
        "environment": "production",
    }
    assert record.notes == ["parameter user: left out"]
    assert record.reference is None


def test_ids_of_the_trace_are_kept_when_asked_for():
    assert record_of(api(sessionId="s", userId=None), group=True).metadata["trace_id"] == "trace-1"
    assert record_of(api(sessionId="s"), group=True).metadata["session_id"] == "s"


def test_an_input_with_tools_around_its_messages():
    record = record_of(
        api(
            input={"messages": MESSAGES, "tools": [TOOL], "tool_choice": "auto"},
            output={"content": None, "tool_calls": [CALL]},
        )
    )
    assert (record.request["tools"], record.request["tool_choice"]) == ([TOOL], "auto")
    [choice] = record.response["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"] == {"role": "assistant", "content": None, "tool_calls": [CALL]}


@pytest.mark.parametrize(
    "output",
    [
        "hello",
        [{"role": "assistant", "content": "hello"}],
        {"choices": [{"message": {"role": "assistant", "content": "hello"}}]},
    ],
)
def test_outputs_in_every_documented_form(output):
    assert record_of(api(output=output)).response["choices"][0]["message"]["content"] == "hello"


def test_an_answer_that_is_json_itself_is_kept_as_the_text_it_is():
    text = '{ "label":"billing" }'
    assert record_of(exported(output=text)).response["choices"][0]["message"]["content"] == text


def test_a_text_as_input_is_what_a_user_said():
    assert record_of(api(input="hi")).request["messages"] == [{"role": "user", "content": "hi"}]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"input": {"question": 1}}, "messages are missing"),
        ({"input": [{"content": "x"}]}, "a message without a role"),
        ({"input": [{"role": "user", "content": [{"type": "tool-call"}]}]}, "content part 'tool-call'"),
        ({"output": {"label": "x"}}, "an output that is no message"),
        ({"output": {"role": "user", "content": "x"}}, "an output that is no message"),
        ({"model": None}, "no model"),
        ({"modelParameters": {"temperature": "warm"}}, "a parameter that is no number"),
    ],
)
def test_what_has_no_chat_shape_is_named(changes, reason):
    with pytest.raises(Unmapped, match=reason):
        record_of(api(**changes))


@pytest.mark.parametrize("changes", [{"type": "SPAN"}, {"level": "ERROR"}, {"output": None}, {"input": ""}])
def test_what_is_no_completion_is_passed_over(changes):
    with pytest.raises(Skipped):
        record_of(api(**changes))


def test_metadata_is_cut_to_the_limits_and_that_is_noted():
    record = record_of(api(metadata={"k" * 70: "v" * 600, **{f"n{number}": "x" for number in range(20)}}))
    assert len(record.metadata) == 16
    assert record.metadata["k" * 64] == "v" * 512
    assert set(record.notes) >= {"metadata: cut to 64 and 512 characters", "metadata: more than 16 pairs"}


def test_twice_into_the_system_is_the_same_list(into, listed, tmp_path):
    written(tmp_path / "in" / "x.jsonl", api(), {"type": "SPAN"}, exported(id="obs-2"))
    source = FileSource(LocalFolder(tmp_path / "in"), lambda row, _: record_of(row), {"source": "langfuse"})
    for _ in range(2):
        assert imported(source, into, tmp_path / "state.json").refused == {}
        assert [
            (completion["id"], completion["origin"], completion["metadata"]["name"]) for completion in listed()
        ] == [
            ("obs-1", "langfuse", "triage"),
            ("obs-2", "langfuse", "triage"),
        ]
