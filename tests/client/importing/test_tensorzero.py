import json
from pathlib import Path

import pytest

from stillhouse.importing.files import FileSource, LocalFolder
from stillhouse.importing.source import Skipped, Unmapped
from stillhouse.importing.tensorzero import record_of
from tests.client.importing.build import imported

DATA = Path(__file__).parents[4] / "shared" / "data" / "tensorzero_datapoints"
ID = "01957bbb-be63-7f53-809e-a4b9d21a2b36"
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


def row(**more):
    return {
        "function_name": "extract it",
        "variant_name": "gpt",
        "inference_id": ID,
        "episode_id": "01957bbb-be63-7f53-809e-a4c21d65d760",
        "input": {"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]},
        "output": [{"type": "text", "text": "hello"}],
        "inference_params": {"chat_completion": {"temperature": 0.5, "stop_sequences": ["x"], "json_mode": "on"}},
        "processing_time_ms": 320,
        "timestamp": "2025-03-11T00:38:02Z",
        "tags": {"team": "a", "tensorzero::evaluation_run_id": "1"},
        **more,
    }


def stringed(row):
    """As ClickHouse exports it: JSON as text, under `id`, with times of another form."""
    texts = {name: json.dumps(row[name]) for name in ("input", "output", "inference_params")}
    return {**row, **texts, "id": row["inference_id"], "tool_params": "", "timestamp": "2025-03-11 00:38:02"}


@pytest.mark.parametrize("form", [dict, stringed])
def test_an_inference_of_a_chat_function(form):
    record = record_of(form(row()))
    assert record.request == {
        "model": "tensorzero::function_name::extract it",
        "messages": [{"role": "user", "content": "hi"}],
        "temperature": 0.5,
        "stop": ["x"],
    }
    assert record.response["choices"][0]["message"] == {"role": "assistant", "content": "hello"}
    assert (record.id, record.created, record.latency_ms, record.origin) == (ID, 1741653482, 320, "tensorzero")
    assert record.metadata == {"team": "a", "function_name": "extract it", "variant_name": "gpt"}


def test_a_json_function_has_its_schema_and_the_raw_answer():
    record = record_of(row(output={"raw": '{ "a": "x" }', "parsed": {"a": "x"}}, output_schema=SCHEMA))
    assert record.response["choices"][0]["message"]["content"] == '{ "a": "x" }'
    form = {"name": "extract_it", "schema": SCHEMA}
    assert record.request["response_format"] == {"type": "json_schema", "json_schema": form}
    assert (
        record_of(row(output={"raw": None, "parsed": {"a": "x"}})).response["choices"][0]["message"]["content"]
        == '{"a":"x"}'
    )


def test_blocks_of_every_kind():
    turns = [
        {"role": "user", "content": "old text"},
        {"role": "user", "content": [{"type": "text", "value": {"topic": "x"}}]},
        {"role": "user", "content": [{"type": "template", "name": "mail", "arguments": {"n": 1}}]},
        {"role": "user", "content": [{"type": "image", "mime_type": "image/png", "data": "aGk="}]},
        {
            "role": "assistant",
            "content": [
                {"type": "thought", "text": "hm"},
                {"type": "tool_call", "id": "c1", "name": "look", "arguments": '{"a": 1}'},
            ],
        },
        {"role": "user", "content": [{"type": "tool_result", "id": "c1", "name": "look", "result": "9"}]},
    ]
    record = record_of(row(input={"system": {"tone": "brief"}, "messages": turns}))
    look = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"a": 1}'}}
    assert record.request["messages"] == [
        {"role": "system", "content": '{"tone":"brief"}'},
        {"role": "user", "content": "old text"},
        {"role": "user", "content": '{"topic":"x"}'},
        {"role": "user", "content": '{"template":"mail","arguments":{"n":1}}'},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}]},
        {"role": "assistant", "content": None, "tool_calls": [look]},
        {"role": "tool", "tool_call_id": "c1", "content": "9"},
    ]
    assert record.notes == ["template: its arguments as JSON"] * 2 + ["thinking: left out"]


def test_tools_and_how_they_were_chosen():
    tool = {"name": "look", "description": "d", "parameters": {"type": "object"}, "strict": False}
    params = {"tools_available": [tool], "tool_choice": {"specific": "look"}, "parallel_tool_calls": False}
    request = record_of(row(tool_params=json.dumps(params))).request
    assert request["tools"] == [{"type": "function", "function": tool}]
    assert request["tool_choice"] == {"type": "function", "function": {"name": "look"}}
    assert request["parallel_tool_calls"] is False
    assert record_of(row(allowed_tools=["look"])).notes == ["tools: named in the export, not defined"]


def test_a_datapoint_has_the_time_in_its_id_and_a_model_that_is_named():
    record = record_of(row(timestamp=None, updated_at="2025-03-12 00:00:00"), model="gpt-4o", group=True)
    assert record.created == 1741537656
    assert record.request["model"] == "gpt-4o"
    assert record.metadata["episode_id"].startswith("01957bbb")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"output": [{"type": "unknown"}]}, "content block 'unknown'"),
        (
            {"input": {"messages": [{"role": "user", "content": [{"type": "image", "image": {"url": None}}]}]}},
            "not in the export",
        ),
        (
            {"input": {"messages": [{"role": "user", "content": [{"type": "file", "mime_type": "text/csv"}]}]}},
            "text/csv",
        ),
    ],
)
def test_what_has_no_chat_shape_is_named(changes, reason):
    with pytest.raises(Unmapped, match=reason):
        record_of(row(**changes))


@pytest.mark.parametrize("changes", [{"output": None}, {"is_deleted": True}, {"staled_at": "2025-03-12 00:00:00"}])
def test_what_is_no_completion_is_passed_over(changes):
    with pytest.raises(Skipped):
        record_of(row(**changes))


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data/tensorzero_datapoints is not there")
def test_real_datapoints_go_in_and_come_out_unchanged(into, system, tmp_path):
    paths = sorted(DATA.glob("*.jsonl"))
    for path in [*paths, *paths]:
        source = FileSource(LocalFolder(path), lambda row, _: record_of(row), {"source": "tensorzero"})
        counts = imported(source, into, tmp_path / "state.json")
        assert (counts.refused, counts.unmapped) == ({}, {})
        system.settle()
    rows = [json.loads(line) for path in paths for line in path.read_text().splitlines()]
    answered = [row for row in rows if row["output"] is not None and not row.get("staled_at")]
    assert len(answered) == 37
    stored = {entry["id"]: entry for entry in system.ok("GET", "/v1/chat/completions?limit=100")["data"]}
    assert len(stored) == len(answered)
    for given in answered:
        completion = stored[given["id"]]
        output = json.loads(given["output"])
        expected = output["raw"] if isinstance(output, dict) else "".join(block["text"] for block in output)
        assert completion["choices"][0]["message"]["content"] == expected
        assert completion["origin"] == "tensorzero"
        assert completion["metadata"]["dataset_name"] == given["dataset_name"]
        [asked] = json.loads(given["input"])["messages"]
        [retrieved] = system.ok("GET", f"/v1/chat/completions/{given['id']}/messages")["data"]
        assert _said(retrieved) == [_told(block) for block in asked["content"]]
        if "output_schema" in given:
            assert completion["response_format"]["json_schema"]["schema"] == json.loads(given["output_schema"])


def _said(message):
    parts = message["content_parts"] or [{"type": "text", "text": message["content"]}]
    return [part["text"] if part["type"] == "text" else part["image_url"]["url"] for part in parts]


def _told(block):
    match block["type"]:
        case "text":
            return block["text"]
        case "template":
            return json.dumps(block["arguments"], separators=(",", ":"))
        case "image":
            return block["image"]["url"]
