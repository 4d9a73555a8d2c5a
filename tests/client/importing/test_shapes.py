"""The cases of `tests/data/shapes/` whose door is an importer: each becomes a chat, or is left out by its reason."""

import json
from pathlib import Path

import pytest

from stillhouse.importing import bedrock, jsonl, langfuse, tensorzero
from stillhouse.importing.files import FileSource, LocalFolder
from tests.client.importing.build import Taking, imported

CASES = {path.stem: json.loads(path.read_text()) for path in Path("tests/data/shapes").glob("import-*.json")}
DOORS = {
    "import bedrock": lambda row, **_: bedrock.record_of(row, pytest.fail),
    "import jsonl": lambda row, **options: jsonl.record_of(row, created=9, **options),
    "import langfuse": langfuse.record_of,
    "import tensorzero": tensorzero.record_of,
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_foreign_shape_becomes_a_chat_or_is_left_out_by_its_reason(name, tmp_path):
    case = CASES[name]
    row = case["given"].get("$json") or json.dumps(case["given"])
    path = tmp_path / "rows.jsonl"
    path.write_text(row + "\n")
    door, options = DOORS[case["door"]], case.get("options", {})
    taking = Taking()
    source = FileSource(LocalFolder(path), lambda row, _: door(row, **options), {"source": name})
    counts = imported(source, taking, tmp_path / "state.json")
    if "left_out" in case:
        assert (dict(counts.unmapped), taking.records) == ({case["left_out"]: 1}, [])
        return
    [record] = taking.records
    assert list(counts.notes.elements()) == case["notes"]
    assert parts_of(record, case["expected"]) == case["expected"]


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
