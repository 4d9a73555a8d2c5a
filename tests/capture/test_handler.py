"""The HTTP side of capture: forms of a body, the status of a batch, who may push, how much."""

from __future__ import annotations

import gzip
import hashlib
import json

import pytest

from capture import record
from foundation import events, table
from foundation.edge import SMALLER
from tests.cloud import aws_client
from tests.flow import loop
from tests.flow.system import System

RECORDS = [loop.record(number, split="train", tag="form") for number in range(3)]
FORMS = {
    "object": json.dumps(RECORDS[0]).encode(),
    "array": json.dumps(RECORDS).encode(),
    "ndjson": b"\n".join(json.dumps(record).encode() for record in RECORDS),
    "pretty array": json.dumps(RECORDS, indent=2).encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_push_ends_readable(form: str, system: System) -> None:
    status, pushed = system.call("POST", "/v1/captures", FORMS[form])
    expected = RECORDS[:1] if form == "object" else RECORDS
    assert status == 202
    assert pushed["object"] == "capture"
    assert pushed["accepted"] == len(expected)
    assert pushed["refused"] == pushed["renamed"] == []
    system.settle()
    for pushed_record in expected:
        completion = system.ok("GET", f"/v1/chat/completions/{pushed_record['response']['id']}")
        assert completion["choices"] == pushed_record["response"]["choices"]
        assert completion["usage"] == pushed_record["response"]["usage"]
        assert completion["metadata"] == pushed_record["metadata"]
        assert completion["reference"] == pushed_record["reference"]
        assert completion["latency_ms"] == 40


def test_a_batch_is_recorded_once_every_part_is_readable(system: System) -> None:
    records = [loop.record(number, split="train", tag="parts") for number in range(900)]
    batch_id = system.ok("POST", "/v1/captures", records)["batch_id"]
    waiting = aws_client("sqs").receive_message(QueueUrl=system.queues["RECORD"], MaxNumberOfMessages=10)
    parts = [events.parse(message["Body"]) for message in waiting["Messages"]]
    assert len(parts) == 3
    for written, part in enumerate([parts[2], parts[2], parts[0], parts[1]]):
        batch = system.ok("GET", f"/v1/captures/{batch_id}")
        assert batch["status"] == "pending", written
        record.record([part])
    batch = system.ok("GET", f"/v1/captures/{batch_id}")
    assert batch == {"object": "capture", "batch_id": batch_id, "status": "recorded", "parts_recorded": 3}
    page = system.ok("GET", "/v1/chat/completions?limit=100&order=desc")
    assert page["data"][0]["id"] == "chatcmpl-parts-899"


def test_a_batch_that_nobody_pushed_is_not_found(system: System) -> None:
    for unknown in ("capture_01ARZ3NDEKTSV4RRFFQ69G5FAV", "capture_nothing", "capture_" + "é" * 26, "x"):
        status, refusal = system.call("GET", f"/v1/captures/{unknown}")
        assert (status, refusal["error"]["param"], refusal["error"]["code"]) == (404, "batch_id", "not_found")


def test_pushing_takes_a_key_with_its_scope(system: System) -> None:
    secret = "sk-sh-reader-0123456789"
    table.put({"pk": "KEY", "sk": "reader", "sha256": _sha256(secret), "scopes": "read infer"})
    pusher = "sk-sh-pusher-0123456789"
    table.put({"pk": "KEY", "sk": "pusher", "sha256": _sha256(pusher), "scopes": "capture"})
    for key, expected in ((None, 401), ("sk-sh-reader-wrong", 401), ("nonsense", 401), (secret, 403), (pusher, 202)):
        status, answer = system.call("POST", "/v1/captures", FORMS["object"], key=key)
        assert status == expected, (key, answer)
        if status != 202:
            assert answer["error"]["param"] == "Authorization"


def test_a_body_over_4_mb_is_refused_with_the_remedy(system: System) -> None:
    status, refusal = system.call("POST", "/v1/captures", b"[" + b" " * (4 * 1024 * 1024) + b"]")
    assert (status, refusal["error"]["code"]) == (413, "request_too_large")
    assert "in parts, or compressed: Content-Encoding gzip and zstd are taken" in refusal["error"]["message"]
    assert SMALLER in refusal["error"]["message"]


def test_a_record_over_4_mb_that_comes_compressed_is_refused_with_the_remedy(system: System) -> None:
    large = json.loads(FORMS["object"])
    large["request"]["messages"][0]["content"] = "A" * (5 << 20)
    packed = gzip.compress(json.dumps(large).encode())
    status, refusal = system.call("POST", "/v1/captures", packed, headers={"content-encoding": "gzip"})
    assert (status, refusal["error"]["code"]) == (413, "record_too_large")
    assert SMALLER in refusal["error"]["message"]


def test_bytes_that_are_no_text_are_refused(system: System) -> None:
    status, refusal = system.call("POST", "/v1/captures", gzip.compress(FORMS["object"]))
    assert (status, refusal["error"]["code"]) == (400, "invalid_json")


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
