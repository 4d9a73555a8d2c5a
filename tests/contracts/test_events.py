"""The messages between services: each class has a sample in `events/`, each sample is of the class its name says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from backports import zstd
from pydantic import ValidationError

from completions.completion import Completion
from foundation import events
from foundation.consumer import consume
from foundation.message import Message

SAMPLES = {path.stem: path for path in (Path(__file__).parents[2] / "events").glob("*.json")}
LAMBDA = "SqsEvent"


def concrete(kind: type[Message]) -> set[type[Message]]:
    """The classes under this one that nothing is derived from."""
    below = kind.__subclasses__()
    return set().union(*(concrete(class_) for class_ in below)) if below else {kind}


WORK = {kind.__name__: kind for kind in concrete(Message)}
FROM_AWS = {
    "ObjectsLanded": events.ObjectsLanded,
    "TestEvent": events.TestEvent,
    "AlarmStateChange": events.AlarmStateChange,
    "ObjectCreated": events.ObjectCreated,
}
OWN_ID = re.compile(r"^[a-z]+[_-][0-9A-HJKMNP-TV-Z]{26}$")


def sample(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(SAMPLES[name].read_text(encoding="utf-8"))
    return document


def test_every_class_has_a_sample_and_every_sample_a_class() -> None:
    assert set(SAMPLES) == {*WORK, *FROM_AWS, LAMBDA}


def test_every_class_is_one_that_a_queue_may_deliver() -> None:
    assert {kind.__name__ for kind in events.Work.__value__.__args__} == set(WORK)


@pytest.mark.parametrize("name", sorted({*WORK, *FROM_AWS}))
def test_a_sample_parses_with_the_class_its_name_says(name: str) -> None:
    assert type(events.parse(json.dumps(sample(name)))).__name__ == name


@pytest.mark.parametrize("name", sorted(WORK))
class TestMessage:
    def test_the_sample_is_what_a_producer_writes(self, name: str) -> None:
        message = events.parse(json.dumps(sample(name)))
        assert json.loads(message.to_json()) == sample(name)

    def test_it_travels_in_the_envelope(self, name: str) -> None:
        document = sample(name)
        assert document["type"] == name
        assert OWN_ID.match(document["event_id"])
        assert OWN_ID.match(document["correlation_id"])
        assert isinstance(document["at"], int)

    def test_ids_are_ours_and_bodies_stay_out(self, name: str) -> None:
        document = sample(name)
        # A model's id is the name that its trainer gave it.
        ids = {field: value for field, value in document.items() if field.endswith("_id") and field != "model_id"}
        assert all(OWN_ID.match(value) for value in ids.values())
        if name != "RecordCompletions":
            assert len(json.dumps(document)) < 1024

    def test_unknown_fields_are_ignored(self, name: str) -> None:
        newer = {**sample(name), "added_later": {"deep": [1]}}
        assert events.parse(json.dumps(newer)) == events.parse(json.dumps(sample(name)))

    def test_a_missing_field_is_refused(self, name: str) -> None:
        fields = WORK[name].model_fields
        counted = {other for other, field in fields.items() if field.default == 0}
        for field in set(sample(name)) - set(Message.model_fields) - counted - {"type"}:
            broken = {key: value for key, value in sample(name).items() if key != field}
            with pytest.raises(ValidationError):
                events.parse(json.dumps(broken))

    def test_it_does_not_change(self, name: str) -> None:
        message = WORK[name].model_validate(sample(name))
        with pytest.raises(ValidationError):
            message.correlation_id = "other"

    def test_it_survives_the_outbox(self, name: str) -> None:
        message = WORK[name].model_validate(sample(name))
        if name != "RecordCompletions":
            assert events.parse_work(message.model_dump(mode="json")) == message


def test_a_fact_is_past_and_work_is_an_order() -> None:
    facts = {"VerdictDecided", "DistillationBlocked", "DistillationFailed", "StepFailed", "AlertRaised"}
    assert {name for name in WORK if name.endswith("ed")} == facts


@pytest.mark.parametrize(
    "body", ['{"type":"Unheard"}', "{}", "[]", "null", "no JSON", '{"Records":[]}', '{"type":null}']
)
def test_anything_else_is_refused(body: str) -> None:
    with pytest.raises(ValidationError):
        events.parse(body)


def test_the_recorders_sample_carries_completions() -> None:
    message = events.RecordCompletions.model_validate(sample("RecordCompletions"))
    lines = zstd.decompress(message.records or b"").splitlines()
    assert [Completion.read(line).id for line in lines] == ["chatcmpl-CeZ4n8Q2v7"]


def test_a_body_comes_inline_or_by_key_and_never_both() -> None:
    document = sample("RecordCompletions")
    by_key = {**{name: value for name, value in document.items() if name != "records"}, "key": "inbox/x"}
    assert isinstance(events.parse(json.dumps(by_key)), events.RecordCompletions)
    with pytest.raises(ValidationError):
        events.parse(json.dumps({**document, "key": "inbox/x"}))


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ("datasets/dataset_1/card.json", "datasets/dataset_1/card.json"),
        ("datasets%2Fdataset_1%2Fcard.json", "datasets/dataset_1/card.json"),
        ("runs/a+b%2Bc/summary.json", "runs/a b+c/summary.json"),
        ("runs/gr%C3%BCn/summary.json", "runs/grün/summary.json"),
    ],
)
def test_keys_of_s3_are_decoded(sent: str, key: str) -> None:
    document = sample("ObjectsLanded")
    document["Records"][0]["s3"]["object"]["key"] = sent
    assert events.parse(json.dumps(document)).keys == [key]  # type: ignore[union-attr]


def test_the_lambda_event_delivers_the_message_it_wraps() -> None:
    seen: list[Any] = []
    assert consume(sample(LAMBDA), seen.append) == {"batchItemFailures": []}
    assert seen == [events.parse(json.dumps(sample("AdvanceDistillation")))]


def test_one_bad_message_fails_alone() -> None:
    [good] = sample(LAMBDA)["Records"]
    batch = [{**good, "messageId": "1"}, {**good, "messageId": "2", "body": "{}"}, {**good, "messageId": "3"}]
    test_event = {**good, "messageId": "4", "body": json.dumps(sample("TestEvent"))}
    seen: list[Any] = []
    answer = consume({"Records": [*batch, test_event]}, seen.append)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    assert len(seen) == 2
