"""The corpus's cases whose door is an importer, and its streams in Bedrock's logs: a chat each, or why not."""

import pytest

from stillhouse.importing import bedrock, jsonl, langfuse, tensorzero
from stillhouse.importing.files import FileSource, LocalFolder
from stillhouse.importing.source import Unmapped
from tests.client.importing.build import Taking, imported
from tests.shapes import cases

DOORS = {
    "import bedrock": lambda row, **_: bedrock.record_of(row, pytest.fail),
    "import jsonl": lambda row, **options: jsonl.record_of(row, created=9, **options),
    "import langfuse": langfuse.record_of,
    "import tensorzero": tensorzero.record_of,
}
CASES = cases(*DOORS)
STREAMS = {name: case for name, case in cases("stream").items() if isinstance(case.given, list)}


@pytest.mark.parametrize("name", CASES)
def test_a_foreign_shape_becomes_a_chat_or_is_left_out_by_its_reason(name, tmp_path):
    case = CASES[name]
    path = tmp_path / "rows.jsonl"
    path.write_text(case.text(name) + "\n")
    taking = Taking()
    source = FileSource(LocalFolder(path), lambda row, _: DOORS[case.door](row, **case.options), {"source": name})
    counts = imported(source, taking, tmp_path / "state.json")
    if case.left_out:
        assert (dict(counts.unmapped), taking.records) == ({case.left_out: 1}, [])
        return
    [record] = taking.records
    assert list(counts.notes.elements()) == case.notes
    assert parts_of(record, case.expected) == case.expected


def parts_of(record, expected):
    """The parts of a record that a case names."""
    if "passed_on" in expected:
        return {"passed_on": True}
    asked = expected.get("request", {})
    parts = {
        "messages": record["request"]["messages"],
        "message": record["response"]["choices"][0]["message"],
        "usage": record["response"].get("usage"),
        "latency_ms": record.get("latency_ms"),
        "request": {name: record["request"].get(name) for name in asked},
    }
    return {name: parts[name] for name in expected}


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_that_bedrock_logged_becomes_what_the_wrappers_make_of_it(name):
    case = STREAMS[name]
    asked = {"messages": [{"role": "user", "content": "hi"}]}
    row = {"schemaType": "ModelInvocationLog", "modelId": "big", "requestId": "chatcmpl-@"}
    row |= {"input": {"inputBodyJson": asked}, "output": {"outputBodyJson": case.given}}
    if case.left_out:
        with pytest.raises(Unmapped, match=case.left_out):
            bedrock.record_of(row, pytest.fail)
    else:
        assert bedrock.record_of(row, pytest.fail).response == case.expected
