"""What a push accepts, what it refuses and why, and under which ids completions are kept."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

import pytest

from capture.ingest import ingest
from capture.odd import completion_of
from capture.parse import documents
from capture.record import record as record_all
from foundation import blobs, events, ids
from foundation.errors import ApiError
from tests.cloud import aws_client
from tests.flow import loop
from tests.flow.system import System


def record(number: int = 1, **fields: Any) -> dict[str, Any]:
    return {**loop.record(number, split="train", tag="push"), **fields}


def answer(text: str, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", "content": text}}], **fields}


def changed(place: str, value: Any) -> dict[str, Any]:
    """A sound record with one field set, or taken out where the value is None."""
    document = json.loads(json.dumps(record()))
    *way, last = place.split(".")
    inner = document
    for step in way:
        inner = inner[int(step)] if step.isdigit() else inner[step]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return document


REFUSED = {
    "no request": ("request", None, "request"),
    "request is text": ("request", "hello", "request"),
    "no model": ("request.model", None, "request.model"),
    "an endless model": ("request.model", "m" * 257, "request.model"),
    "empty model": ("request.model", "", "request.model"),
    "no messages": ("request.messages", None, "request.messages"),
    "empty messages": ("request.messages", [], "request.messages"),
    "a message without role": ("request.messages.1.role", None, "request.messages[1].role"),
    "a made-up role": ("request.messages.0.role", "wizard", "request.messages[0].role"),
    "no response": ("response", None, "response"),
    "no choices": ("response.choices", None, "response.choices"),
    "empty choices": ("response.choices", [], "response.choices"),
    "a choice without message": ("response.choices.0.message", None, "response.choices[0].message"),
    "an endless id": ("response.id", "x" * 257, "response.id"),
    "an empty id": ("response.id", "", "response.id"),
    "answered in text time": ("response.created", "yesterday", "response.created"),
    "answered before time": ("response.created", -1, "response.created"),
    "answered in milliseconds": ("response.created", 1_790_000_000_000, "response.created"),
    "created in milliseconds": ("created", 1_790_000_000_000, "created"),
    "negative latency": ("latency_ms", -1, "latency_ms"),
    "metadata is a list": ("metadata", ["a"], "metadata"),
    "a number in metadata": ("metadata.split", 1, "metadata.split"),
    "17 pairs of metadata": ("metadata", {str(n): "v" for n in range(17)}, "metadata"),
    "an endless metadata value": ("metadata.split", "v" * 513, "metadata.split"),
    "a number in the request's metadata": ("request.metadata", {"user": 7}, "request.metadata.user"),
    "an endless value in the request's metadata": (
        "request.metadata",
        {"user": "v" * 513},
        "request.metadata.user",
    ),
}


@pytest.mark.parametrize(("place", "value", "param"), REFUSED.values(), ids=REFUSED)
def test_a_malformed_record_is_refused_naming_its_field(place: str, value: Any, param: str) -> None:
    with pytest.raises(ApiError) as refusal:
        completion_of(changed(place, value))
    assert refusal.value.param == param
    assert refusal.value.status == 400
    assert param in refusal.value.message


def test_an_endless_metadata_key_is_refused() -> None:
    with pytest.raises(ApiError) as refusal:
        completion_of(changed("metadata", {"k" * 65: "v"}))
    assert str(refusal.value.param).startswith("metadata")


@pytest.mark.parametrize("document", ["text", 3, None, ["nested"]])
def test_a_record_that_is_no_object_is_refused(document: Any) -> None:
    with pytest.raises(ApiError) as refusal:
        completion_of(document)
    assert refusal.value.code == "invalid_type"


def test_a_sound_record_keeps_all_it_carries() -> None:
    completion = completion_of(record(4, provider="acme"))
    assert completion.id == "chatcmpl-push-4"
    assert completion.created == 1_790_000_004
    assert completion.metadata == {"split": "train", "tag": "push"}
    assert (completion.reference, completion.latency_ms, completion.provider) == ("login", 40, "acme")
    assert completion.request["temperature"] == 0


def test_metadata_of_the_request_counts_where_the_record_has_none() -> None:
    bare = record()
    bare.pop("metadata")
    bare["request"]["metadata"] = {"feature": "reply"}
    assert completion_of(bare).metadata == {"feature": "reply"}


@pytest.mark.parametrize("text", ['{"a": 1}', '[{"a": 1}]', '  \n{"a":\n 1}\n', '[\n{"a": 1}\n]'])
def test_one_document_is_an_object_or_an_array(text: str) -> None:
    assert documents(text.encode()) == [{"a": 1}]


def test_many_lines_are_ndjson_and_a_broken_one_keeps_its_place() -> None:
    first, broken, last = documents(b'{"a": 1}\r\n\n{oops\n{"a": 2}\n')
    assert (first, last) == ({"a": 1}, {"a": 2})
    assert isinstance(broken, ApiError)
    assert broken.code == "invalid_json"


DOUBLED = ['{"a": 1, "a": 1}', '{"b": [{"a": "x", "c": {}, "a": "y"}]}', r'{"a": "\u0022", "a": ["\u0022\u0022"]}']


@pytest.mark.parametrize("text", DOUBLED)
@pytest.mark.parametrize("body", ["%s", "[{}, %s]", "{}\n%s"])
def test_a_key_that_stands_twice_refuses_its_record(text: str, body: str) -> None:
    *others, doubled = documents((body % text).encode())
    assert all(other == {} for other in others)
    assert isinstance(doubled, ApiError)
    assert (doubled.code, doubled.param) == ("duplicate_key", "a")


@pytest.mark.parametrize("text", [r'{"a": "\"", "b": {"a": "\u0022"}}', '{"a": ["a", "a"], "\\\\": ":"}'])
def test_a_key_in_two_objects_and_quotes_in_texts_are_sound(text: str) -> None:
    assert documents(text.encode()) == [json.loads(text)]


@pytest.mark.parametrize("levels", [249, 250, 1_000])
def test_a_record_is_not_nested_deeper_than_every_reader_reads(levels: int) -> None:
    first, deep, doubled = documents(b'[{"a": 1}, %b%b, {"a": 1, "a": 2}]' % (b"[" * levels, b"]" * levels))
    assert first == {"a": 1}
    assert (getattr(deep, "code", None) == "nested_too_deeply") == (levels > 249)
    assert isinstance(doubled, ApiError)


@pytest.mark.parametrize("text", ["", " \n ", "{oops", '[{"a": 1},\n{oops]', "\x00"])
def test_a_body_that_cannot_be_read_is_refused_whole(text: str) -> None:
    with pytest.raises(ApiError) as refusal:
        documents(text.encode())
    assert refusal.value.param == "body"


def test_some_refused_leave_the_others_accepted(system: System) -> None:
    lines = [json.dumps(record(0)), "{oops", json.dumps(changed("response.choices", [])), json.dumps(record(3))]
    status, pushed = system.call("POST", "/v1/captures", "\n".join(lines).encode())
    assert status == 202
    assert pushed["accepted"] == 2
    assert pushed["ids"] == ["chatcmpl-push-0", "chatcmpl-push-3"]
    assert [(refusal["index"], refusal["param"], refusal["code"]) for refusal in pushed["refused"]] == [
        (1, None, "invalid_json"),
        (2, "response.choices", "invalid_value"),
    ]
    assert all(refusal["message"] for refusal in pushed["refused"])
    system.settle()
    assert [completion["id"] for completion in system.ok("GET", "/v1/chat/completions")["data"]] == pushed["ids"]


def test_a_record_with_bad_metadata_in_its_request_does_not_cost_its_neighbours(system: System) -> None:
    bad = record(1, metadata=None)
    bad["request"]["metadata"] = {"user": 7}
    pushed = system.ok("POST", "/v1/captures", [record(0), bad])
    assert pushed["ids"] == ["chatcmpl-push-0"]
    assert [refusal["index"] for refusal in pushed["refused"]] == [1]


def test_all_refused_is_a_400_with_every_reason(system: System) -> None:
    body = [changed("request", None), changed("response.choices", [])]
    status, refusal = system.call("POST", "/v1/captures", body)
    assert status == 400
    assert refusal["error"]["param"] == "request"
    assert refusal["error"]["type"] == "invalid_request_error"
    assert [refusal["param"] for refusal in refusal["refused"]] == ["request", "response.choices"]
    assert not messages(system)


@pytest.mark.parametrize("body", [[record(0), record(1)], [{}, {}]])
def test_a_push_whose_answer_would_be_too_large_is_refused_whole(
    body: list[Any], system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capture.ingest.MAX_ANSWER", 150)
    status, refusal = system.call("POST", "/v1/captures", body)
    assert (status, refusal["error"]["code"]) == (413, "answer_too_large")
    assert "in parts" in refusal["error"]["message"]
    assert not messages(system)


@pytest.mark.parametrize("body", [b"", b"[]", b"  "])
def test_nothing_pushed_is_a_400(body: bytes, system: System) -> None:
    status, refusal = system.call("POST", "/v1/captures", body)
    assert (status, refusal["error"]["param"]) == (400, "body")


def test_an_id_is_the_providers_or_follows_from_the_content(system: System) -> None:
    same = [record(1, response=answer("yes", created=5)) for _ in range(2)]
    other = record(1, response=answer("no", created=5))
    pushed = system.ok("POST", "/v1/captures", [*same, other, record(9)])
    assert (pushed["accepted"], pushed["duplicates"]) == (3, 1)
    derived, another, given = pushed["ids"]
    assert derived.startswith("chatcmpl-")
    assert derived != another
    assert given == "chatcmpl-push-9"
    again = system.ok("POST", "/v1/captures", same)
    assert again["ids"] == [derived]


def test_other_bytes_under_a_known_id_get_a_name_of_their_own(system: System) -> None:
    system.ok("POST", "/v1/captures", record(1))
    system.settle()
    other = record(1, response={**record(1)["response"], **answer("something else")})
    pushed = system.ok("POST", "/v1/captures", [record(1), other])
    system.settle()
    assert pushed["accepted"] == 2
    original, renamed = pushed["ids"]
    assert original == "chatcmpl-push-1"
    assert pushed["renamed"] == [{"id": renamed, "origin_id": original}]
    name, _, digest = renamed.rpartition("-")
    assert (name, len(digest)) == (original, 8)
    kept = {completion["id"]: completion for completion in system.ok("GET", "/v1/chat/completions")["data"]}
    assert {key: completion["choices"][0]["message"]["content"] for key, completion in kept.items()} == {
        original: "login",
        renamed: "something else",
    }
    assert kept[renamed]["request_id"] == original
    assert system.ok("POST", "/v1/captures", other)["ids"] == [renamed]
    system.settle()
    assert len(system.ok("GET", "/v1/chat/completions")["data"]) == 2


def test_two_of_one_id_in_one_push_are_both_kept(system: System) -> None:
    other = record(1, reference="another reference")
    pushed = system.ok("POST", "/v1/captures", [record(1), record(1), other])
    assert pushed["accepted"] == 2
    assert pushed["renamed"] == [{"id": pushed["ids"][1], "origin_id": "chatcmpl-push-1"}]


def test_the_same_record_pushed_again_later_is_the_same_completion(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = record(1, response=answer("login", id="chatcmpl-timeless"))
    first = system.ok("POST", "/v1/captures", bare)
    system.settle()
    clock = ids.now_ms
    monkeypatch.setattr(ids, "now_ms", lambda: clock() + 5_000)
    again = system.ok("POST", "/v1/captures", bare)
    system.settle()
    assert again["ids"] == first["ids"]
    assert again["renamed"] == []
    assert len(system.ok("GET", "/v1/chat/completions")["data"]) == 1


def test_a_large_push_travels_in_parts_each_within_a_messages_limit(system: System) -> None:
    records = [record(number, reference="é" * 700) for number in range(950)]
    batch = ingest(records)
    sent = messages(system)
    assert [(message.part, message.parts) for message in sent] == [(0, 3), (1, 3), (2, 3)]
    assert {message.batch_id for message in sent} == {batch["batch_id"]}
    assert all(message.key is None for message in sent)


def test_what_does_not_fit_a_message_goes_by_a_key_in_the_inbox(system: System) -> None:
    noise = random.Random(7)
    texts = [base64.b64encode(noise.randbytes(330_000)).decode() for _ in range(7)]
    records = [record(number, reference=text) for number, text in enumerate(texts)]
    pushed = system.ok("POST", "/v1/captures", records)
    sent = messages(system)
    assert len(sent) == 2
    assert sent[0].key == f"inbox/{pushed['batch_id']}/000000.ndjson.zst"
    assert len(blobs.get(sent[0].key)) > 640 * 1024
    assert all((message.key is None) != (message.records is None) for message in sent)
    assert max(len(message.to_json()) for message in sent) < 900 * 1024
    system.settle()
    assert system.ok("GET", f"/v1/captures/{pushed['batch_id']}")["status"] == "recorded"
    listed = system.ok("GET", "/v1/chat/completions")["data"]
    assert [completion["reference"] for completion in listed] == texts
    assert list(blobs.keys("inbox/")) == []
    assert record_all(sent) == {}, "a delivery of what is recorded changes nothing"
    assert system.ok("GET", "/v1/chat/completions")["data"] == listed


def messages(system: System) -> list[events.RecordCompletions]:
    """What waits for the recorder; it stays there."""
    answered = aws_client("sqs").receive_message(
        QueueUrl=system.queues["RECORD"], MaxNumberOfMessages=10, VisibilityTimeout=0
    )
    parsed = [events.parse(message["Body"]) for message in answered.get("Messages", [])]
    messages = [message for message in parsed if isinstance(message, events.RecordCompletions)]
    return sorted(messages, key=lambda message: message.part)


@pytest.mark.parametrize("role", [{}, {"role": None}, {"role": ""}])
def test_an_answer_without_a_role_is_the_assistants(role: dict[str, Any], system: System) -> None:
    """It was refused whole and taken streamed."""
    body = {**record(), "response": {**answer("x", id="bare"), "choices": [{"message": {"content": "x", **role}}]}}
    system.ok("POST", "/v1/captures", body)
    system.settle()
    [stored] = system.ok("GET", "/v1/chat/completions")["data"]
    assert stored["choices"][0]["message"] == {"role": "assistant", "content": "x", "refusal": None}


def test_an_answer_of_a_role_that_no_chat_has_is_refused_by_its_field() -> None:
    body = {**record(), "response": {"choices": [{"message": {"content": "x", "role": "wizard"}}]}}
    with pytest.raises(ApiError) as refusal:
        completion_of(body)
    assert refusal.value.param == "response.choices[0].message.role"
