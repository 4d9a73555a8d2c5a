import json
from pathlib import Path

import pytest

from stillhouse.importing.files import FileSource, LocalFolder
from stillhouse.importing.jsonl import record_of
from stillhouse.importing.record import Record
from stillhouse.importing.source import Skipped, Unmapped
from tests.client.importing.build import imported, written

DATA = Path(__file__).parents[4] / "shared" / "data" / "openai_ft_format"
ASKED = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}]
ANSWER = {"role": "assistant", "content": "hello"}
CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}


def own(**more):
    response = {"id": "chatcmpl-1", "created": 5, "choices": [{"index": 0, "message": ANSWER}]}
    return {"request": {"model": "m", "messages": ASKED, "metadata": {"a": "b"}}, "response": response, **more}


def example(*messages, **more):
    return {"messages": [*ASKED, *(messages or [ANSWER])], **more}


def read(row, **options):
    return record_of(row, **{"created": 9, "model": "gpt-4o", **options})


def source(path, **options):
    folder = LocalFolder(path)
    return FileSource(
        folder, lambda row, name: read(row, created=folder.modified(name), **options), {"source": "jsonl"}
    )


def test_our_own_record_is_taken_as_it_is():
    record = read(own(latency_ms=7, provider="openai", reference="yes"))
    assert json.loads(record.line()) == {
        "request": {"model": "m", "messages": ASKED},
        "response": own()["response"],
        "created": 5,
        "latency_ms": 7,
        "provider": "openai",
        "metadata": {"a": "b"},
        "origin": "jsonl",
    }


@pytest.mark.parametrize(
    ("row", "field", "expected"),
    [
        (own(reference="yes"), None, None),
        (own(reference="yes"), "reference", "yes"),
        (own(metadata={"label": "x"}), "metadata.label", "x"),
        (example(gold={"label": ["a", 1]}), "gold.label", ["a", 1]),
        (example(), "gold.label", None),
    ],
)
def test_a_reference_is_only_what_was_named(row, field, expected):
    assert read(row, reference=field).reference == expected


def test_the_last_message_of_an_example_is_the_answer():
    weighted = {**ANSWER, "content": "old", "weight": 0}
    tools = [{"type": "function", "function": {"name": "look"}}]
    record = read(example(weighted, ASKED[1], {**ANSWER, "weight": 1}, tools=tools, parallel_tool_calls=False))
    assert record.request == {
        "model": "gpt-4o",
        "messages": [*ASKED, {"role": "assistant", "content": "old"}, ASKED[1]],
        "tools": tools,
        "parallel_tool_calls": False,
    }
    [choice] = record.response["choices"]
    assert (choice["message"], choice["finish_reason"]) == (ANSWER, "stop")
    assert record.id is None, "it follows from the content"
    assert record.created == 9


def test_an_example_may_end_in_tool_calls():
    [choice] = read(example({"role": "assistant", "tool_calls": [CALL]})).response["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"] == {"role": "assistant", "content": None, "tool_calls": [CALL]}


@pytest.mark.parametrize(
    ("row", "options", "reason"),
    [
        ({"prompt": "x", "completion": "y"}, {}, "neither request and response nor messages"),
        ({"messages": ASKED}, {}, "no answer to another"),
        ({"messages": [ANSWER]}, {}, "no answer to another"),
        ({"messages": []}, {}, "messages are missing"),
        (example({"role": "assistant", "content": ""}), {}, "an answer without content"),
        (example(), {"model": None}, "no model: name one with --model"),
    ],
)
def test_what_has_no_chat_shape_is_named(row, options, reason):
    with pytest.raises(Unmapped, match=reason):
        read(row, **options)


def test_an_answer_that_is_not_to_be_learnt_is_passed_over():
    with pytest.raises(Skipped):
        read(example({**ANSWER, "weight": 0}))


def test_twice_into_the_system_is_the_same_list(into, listed, tmp_path):
    path = written(
        tmp_path / "x.jsonl", own(reference="yes"), example(), example(), example({**ANSWER, "content": "2"})
    )
    lists = []
    for _ in range(2):
        counts = imported(source(path), into, tmp_path / "state.json")
        assert counts.refused == {}
        lists.append(listed())
    assert lists[0] == lists[1]
    assert len(lists[0]) == 3, "the same example twice is one completion"
    assert {(record["origin"], record["reference"]) for record in lists[0]} == {("jsonl", None)}


@pytest.mark.data
@pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data/openai_ft_format is not there")
def test_malformed_files_never_end_an_import_and_name_what_they_left_out(into, tmp_path, system):
    for path in sorted((DATA / "malformed").glob("*.jsonl")):
        counts = imported(source(path), into, tmp_path / path.name)
        left = counts.skipped.total() + counts.unmapped.total() + counts.refused.total()
        assert counts.accepted + left <= counts.read
        assert counts.read > 0 or path.stat().st_size < 3, path.name
    system.settle()
    toy = imported(source(DATA / "toy_chat_fine_tuning.jsonl"), into, tmp_path / "toy.json")
    assert (toy.read, toy.accepted) == (5, 5)


def test_metadata_of_another_kind_does_not_stop_a_record():
    assert isinstance(read(own(metadata=["a"])), Record)
