import base64
import json
import time
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from completions import handover
from foundation import events
from foundation.notice_messages import DeliverNotice

CHUNK = events.GradeChunk(run_id="evalrun_1", chunk=1, chunks=2, first_row=50, key="runs/1/rows", offset=9, length=0)
SAMPLES = [
    events.RecordCompletions(batch_id="capture_1", part=0, parts=2, records=b"\x00zstd\xff" * 50),
    events.RecordCompletions(batch_id="capture_1", part=1, parts=2, key="inbox/capture_1/1"),
    events.PlanRun(run_id="evalrun_1"),
    CHUNK,
    events.AdvanceDistillation(distillation_id="distill_1", correlation_id="distill_1"),
    events.AdvanceLearningCurve(learning_curve_id="curve_1", correlation_id="curve_1"),
    events.AssembleDataset(distillation_id="distill_1", dataset_id="ds_1"),
    events.LookForDrift(alias="quick-reply", correlation_id="dataset_1"),
    events.StepFailed(distillation_id="distill_1", during="assembling", code="assembly_failed", message="no"),
    events.StartJob(dataset_id="dataset_1"),
    events.StartJob(job_id="ftjob-1"),
    events.CancelJob(job_id="ftjob-1"),
    events.PauseJob(job_id="ftjob-1"),
    events.LookAtJob(job_id="ftjob-1"),
    events.RetireModel(model_id="ft:1"),
    events.AlertRaised(alert_id="alert_1"),
    events.DecideVerdict(distillation_id="distill_1"),
    events.VerdictDecided(distillation_id="distill_1"),
    events.DistillationBlocked(distillation_id="distill_1"),
    events.DistillationFailed(distillation_id="distill_1"),
    DeliverNotice(notice_id="notice_1", channel_id="channel_1"),
    events.AdvanceRollout(rollout_id="rollout_1"),
    events.LookAtRollouts(correlation_id="clock"),
    events.DeliverEvent(event_type="eval.run.failed", object_id="evalrun_1"),
    events.SampleBatch(run_id="evalrun_1", part=1, model="gpt-4o-mini", chunks=[CHUNK], since=1_790_000_000),
]


def landed(*keys):
    records = [{"eventName": "ObjectCreated:Put", "s3": {"object": {"key": key, "size": 1}}} for key in keys]
    return json.dumps({"Records": records})


def test_every_message_has_a_sample():
    assert {type(sample) for sample in SAMPLES} == set(get_args(events.Work.__value__))


@pytest.mark.parametrize("message", SAMPLES, ids=lambda message: type(message).__name__)
def test_a_message_comes_out_of_the_queue_as_it_went_in(message):
    assert events.parse(message.to_json()) == message
    assert events.parse_work(json.loads(message.to_json())) == message
    assert json.loads(message.to_json())["type"] == type(message).__name__


@pytest.mark.parametrize("inline", [True, False])
def test_what_the_ingest_hands_over_is_what_the_class_would_write(inline, monkeypatch):
    sent, put = [], []
    monkeypatch.setattr(handover.bus, "send", lambda message: sent.append(message.to_json()))
    monkeypatch.setattr(handover.blobs, "put", lambda *object_: put.append(object_))
    if not inline:
        monkeypatch.setattr(handover, "_INLINE", 0)
    handover.hand_over("capture_1", [])
    (text,) = sent
    written = events.parse(text).to_json()
    assert json.loads(written).keys() == json.loads(text).keys()
    assert events.parse(written) == events.parse(text)
    assert len(put) == (not inline)


@given(st.binary(max_size=300))
def test_records_travel_as_the_bytes_they_are(packed):
    message = events.RecordCompletions(batch_id="b", part=0, parts=1, records=packed)
    assert events.parse(message.to_json()).records == packed
    fields = {**json.loads(message.to_json()), "records": base64.b64encode(packed).decode()}
    assert events.parse(json.dumps(fields)).records == packed


def test_the_envelope():
    first, second = events.PlanRun(run_id="r"), events.PlanRun(run_id="r")
    assert first.event_id.startswith("evt_")
    assert first.event_id != second.event_id
    assert abs(first.at - time.time() * 1000) < 5_000
    with pytest.raises(ValidationError, match="frozen"):
        first.run_id = "other"


def test_unknown_fields_are_ignored_and_what_is_absent_is_filled():
    parsed = events.parse('{"type":"PlanRun","run_id":"r","added_later":{"x":1}}')
    assert parsed.run_id == "r"
    assert parsed.correlation_id == "r"


@pytest.mark.parametrize(
    "poison",
    [
        "",
        "no json",
        "null",
        "[]",
        "3",
        "{}",
        '{"type":"NoSuchMessage","run_id":"r"}',
        '{"type":"PlanRun"}',
        '{"type":"PlanRun","run_id":3}',
        '{"type":"GradeChunk","run_id":"r","chunk":"x"}',
        '{"type":"RecordCompletions","batch_id":"b","part":0,"parts":1}',
        '{"type":"RecordCompletions","batch_id":"b","part":0,"parts":1,"key":"k","records":"YQ=="}',
        '{"type":"RecordCompletions","batch_id":"b","part":0,"parts":1,"records":"a"}',
        '{"Records":[]}',
        '{"Records":[{"s3":{}}]}',
        '{"Event":"s3:Other"}',
        '{"id":"1","source":"aws.s3","detail-type":"Object Deleted","detail":{"object":{"key":"k"}}}',
        '{"id":"1","source":"aws.s3","detail-type":"Object Created","detail":{}}',
    ],
)
def test_poison_is_refused(poison):
    with pytest.raises(ValidationError):
        events.parse(poison)


def test_an_outbox_entry_that_is_no_message_is_refused():
    with pytest.raises(ValidationError):
        events.parse_work({"Event": "s3:TestEvent"})


@pytest.mark.parametrize(
    ("encoded", "key"),
    [
        ("datasets/ds_1/card.json", "datasets/ds_1/card.json"),
        ("runs/a+b%2Bc%3Ad/summary.json", "runs/a b+c:d/summary.json"),
        ("caf%C3%A9%2520", "café%20"),
    ],
)
def test_an_s3_event_gives_the_keys_decoded(encoded, key):
    parsed = events.parse(landed(encoded, "x"))
    assert isinstance(parsed, events.ObjectsLanded)
    assert parsed.keys == [key, "x"]


def test_the_test_event_of_s3():
    body = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b", "RequestId": "r", "HostId": "h"}
    assert isinstance(events.parse(json.dumps(body)), events.TestEvent)
