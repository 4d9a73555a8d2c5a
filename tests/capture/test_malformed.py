"""Malformed pushes: a clear refusal that names the field, nothing stored, nothing of the content in a log."""

from __future__ import annotations

import copy
import gzip
import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from backports import zstd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from completions import index
from completions.filters import Filter
from foundation import bus
from foundation.consumer import logger
from foundation.events import RecordCompletions
from foundation.ids import new_id
from tests.capture import malformed
from tests.capture.build import everything
from tests.capture.malformed import MARK
from tests.cloud import aws_client
from tests.examples import examples, of_the_soak
from tests.flow.system import System

FILES = Path(__file__).resolve().parents[3] / "shared" / "data" / "openai_ft_format" / "malformed"
ANY = settings(max_examples=examples(150), suppress_health_check=list(HealthCheck))
FEW = settings(ANY, max_examples=examples(40))


@pytest.fixture
def log_text(monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """All that was written to the log since."""
    written = io.StringIO()
    monkeypatch.setattr(sys, "stdout", written)
    monkeypatch.setattr(sys, "stderr", written)
    monkeypatch.setattr(logger().registered_handler, "stream", written)
    return written.getvalue


def waiting(system: System) -> int:
    names = ["ApproximateNumberOfMessages"]
    attributes = aws_client("sqs").get_queue_attributes(QueueUrl=system.queues["RECORD"], AttributeNames=names)
    return int(attributes["Attributes"][names[0]])


def stored(system: System) -> Any:
    """All that lies anywhere. The first call with a key writes its row."""
    system.ok("GET", "/v1/keys")
    return everything(system), waiting(system)


def push(system: System, body: bytes, encoding: str | None = None) -> tuple[int, Any]:
    headers = {"content-encoding": encoding} if encoding else {}
    return system.call("POST", "/v1/captures", body, headers=headers)


def test_the_log_would_be_seen(log_text: Callable[[], str]) -> None:
    logger().warning("seen", extra={"body": MARK})
    assert MARK in log_text()


def test_a_body_is_refused_whole(system: System, log_text: Callable[[], str], subtests: pytest.Subtests) -> None:
    before = stored(system)
    for name, (body, encoding, status, code) in malformed.whole().items():
        with subtests.test(name):
            answered, refusal = push(system, body, encoding)
            error = refusal["error"]
            assert (answered, error["code"]) == (status, code)
            assert error["type"] == "invalid_request_error"
            assert error["message"]
            assert error["param"] in {None, "body", "Content-Encoding"}
            assert stored(system) == before
            assert MARK not in log_text()


def test_a_record_is_refused_alone(system: System, log_text: Callable[[], str], subtests: pytest.Subtests) -> None:
    sound = [malformed.line(number=number) for number in (1, 2)]
    push(system, b"\n".join(sound))
    system.deliver("RECORD")
    before = stored(system)
    for name, (line, code, param) in malformed.LINES.items():
        with subtests.test(name):
            status, refusal = push(system, line)
            assert (status, refusal["error"]["code"]) == (400, code)
            assert refusal["error"]["param"] in {param, "body"}
            assert len(json.dumps(refusal)) < 2000
            assert stored(system) == before

            status, answer = push(system, b"\n".join([sound[0], line, sound[1]]))
            assert (status, answer["ids"]) == (202, ["chatcmpl-sound-1", "chatcmpl-sound-2"])
            assert [(refusal["index"], refusal["code"], refusal["param"]) for refusal in answer["refused"]] == [
                (1, code, param)
            ]
            if name not in malformed.UNSPLIT:
                status, in_array = push(system, b"[%b]" % b",".join([sound[0], line, sound[1]]))
                assert (status, in_array["ids"], in_array["refused"]) == (202, answer["ids"], answer["refused"])
            system.deliver("RECORD")
            assert [completion["id"] for completion in system.ok("GET", "/v1/chat/completions")["data"]] == answer[
                "ids"
            ]
            assert MARK not in log_text()
            before = stored(system)


def taken(system: System, body: bytes, encoding: str | None = None) -> list[str]:
    """Push what is accepted whole, and see that it comes out as it went in."""
    status, answer = push(system, body, encoding)
    assert (status, answer.get("refused")) == (202, [])
    system.settle()
    assert system.dead("RECORD") == []
    assert system.ok("GET", f"/v1/captures/{answer['batch_id']}")["status"] == "recorded"
    records = [
        completion.pushed() for name in answer["ids"] for completion in index.read(filter(None, [index.find(name)]))
    ]
    pushed = {"gzip": gzip.decompress, "zstd": zstd.decompress, None: bytes}[encoding](body)
    for record, line in zip(records, pushed.split(b"\n"), strict=True):
        given = json.loads(line)
        assert {name: record[name] for name in given} == given
    ids: list[str] = answer["ids"]
    return ids


@pytest.mark.parametrize("size", [1024 * 1024, malformed.MOST_SENT - 1, malformed.MOST_SENT])
def test_a_large_record_is_taken_and_read_back(size: int, system: System) -> None:
    body = malformed.padded(size)
    assert len(body) == size
    [name] = taken(system, body)
    assert len(system.ok("GET", f"/v1/chat/completions/{name}")["reference"]) > size - 2000
    [listed] = system.ok("GET", "/v1/chat/completions")["data"]
    assert listed["id"] == name


@pytest.mark.parametrize("size", [malformed.MOST_UNPACKED, *of_the_soak(malformed.MOST_UNPACKED - 1)])
def test_a_body_is_taken_up_to_the_limit(size: int, system: System) -> None:
    body = malformed.spread(size)
    assert len(body) == size
    assert len(taken(system, gzip.compress(body), "gzip")) == body.count(b"\n") + 1


@pytest.mark.parametrize(("encoding", "packed"), [("gzip", gzip.compress), ("zstd", zstd.compress)])
def test_a_body_packed_in_pieces_is_taken_whole(
    encoding: str, packed: Callable[[bytes], bytes], system: System
) -> None:
    lines = [malformed.line(number=number) + b"\n" for number in range(3)]
    status, answer = push(system, b"".join(map(packed, lines)), encoding)
    assert (status, answer["accepted"]) == (202, 3)


ODD = {
    "an escaped NUL": {"reference": "a\x00b", "metadata": {"a\x00": "\x00"}},
    "separators of lines": {"reference": "a\u2028b\u2029c\x85d\x0be\x1cf"},
    "many digits": {"reference": ["9" * 30, 0.12345678901234567, 1e300, {"9" * 20: 12345678901234567890}]},
    "beyond the basic plane": {"reference": "\U0001f642\U0010ffff\uffff\ufeff"},
    "numbers at the limits": {"reference": [2**63, -(2**63), 2**64 - 1, 5e-324, 1.7976931348623157e308, -0.0]},
    "empty names": {"reference": {"": {"": []}}, "metadata": {"": ""}},
    "the most levels": {"reference": json.loads("[" * 247 + "]" * 247)},
    "names of ours": {"reference": {"pk": "C#x", "sk": "~GONE", "json:": "json:1"}, "metadata": {"a#b": "c=d#0"}},
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_odd_but_sound_is_unchanged(name: str, system: System) -> None:
    [completion_id] = taken(system, malformed.line(**ODD[name]))
    answered = system.ok("GET", f"/v1/chat/completions/{completion_id}")
    for field, value in ODD[name].items():
        assert answered[field] == value
    assert system.ok("GET", "/v1/chat/completions")["data"][0]["id"] == completion_id
    assert system.call("GET", "/v1/exports/completions")[0] == 200


def places(value: Any, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to everything in a document."""
    steps: Any = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for step in steps:
        yield (*way, step)
        yield from places(value[step], (*way, step))


def changed(way: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    document = copy.deepcopy(malformed.sound())
    inner: Any = document
    for step in way[:-1]:
        inner = inner[step]
    inner[way[-1]] = value
    return document


WRONG = [
    None,
    True,
    -1,
    2**70,
    1.5,
    "",
    "text",
    "\x00",
    [],
    [None],
    ["text"],
    [[]],
    {},
    {"": None},
    {"type": 7},
    "x" * 2000,
]


def test_any_type_in_any_place_is_refused_by_its_name_or_kept(system: System, log_text: Callable[[], str]) -> None:
    ways = [way for way in places(malformed.sound()) for _ in WRONG]
    values = [value for _ in places(malformed.sound()) for value in WRONG]
    lines = [json.dumps(changed(*name)) for name in zip(ways, values, strict=True)]
    status, answer = push(system, "\n".join(lines).encode())
    assert status == 202
    assert answer["accepted"] > 100
    for refusal in answer["refused"]:
        path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in ways[refusal["index"]])
        named, wrong = f".{refusal['param']}", path
        assert named.startswith(wrong) or wrong.startswith(named), refusal
    system.settle()
    assert system.dead("RECORD") == []
    assert all(index.find(name) for name in answer["ids"])
    readable(system)
    assert MARK not in log_text()


def readable(system: System) -> None:
    """Every list and every export is answered."""
    for query in ("limit=100", "limit=100&order=desc&has_error=true", "metadata[tag]=sound", "text=never"):
        assert system.call("GET", f"/v1/chat/completions?{query}")[0] == 200
    assert system.call("GET", "/v1/exports/completions")[0] == 200
    assert system.call("GET", "/v1/usage?group_by=model,day")[0] == 200


@pytest.mark.data
@pytest.mark.skipif(not FILES.is_dir(), reason="needs ../shared/data/openai_ft_format/malformed")
@pytest.mark.parametrize("packed", [None, "gzip"])
def test_files_of_another_format_are_refused(packed: str | None, system: System, log_text: Callable[[], str]) -> None:
    paths = sorted(FILES.glob("*.jsonl"))
    assert len(paths) == 36
    before = stored(system)
    for path in paths:
        body = path.read_bytes()
        status, refusal = push(system, gzip.compress(body) if packed else body, packed)
        assert status == 400, path.name
        assert refusal["error"]["type"] == "invalid_request_error"
        assert refusal["error"]["message"]
        assert all(refusal["message"] and refusal["code"] for refusal in refusal.get("refused", []))
    assert stored(system) == before
    log = log_text()
    assert not any(word in log for word in ("spam", "Spam", "valentine"))


def test_a_message_of_garbage_is_not_logged(system: System, log_text: Callable[[], str]) -> None:
    garbage = [MARK.encode(), zstd.compress(MARK.encode()), zstd.compress(json.dumps({"id": MARK}).encode())]
    for packed in garbage:
        bus.send(_message(packed))
    aws_client("sqs").send_message(QueueUrl=system.queues["RECORD"], MessageBody=json.dumps({"type": MARK}))
    before = everything(system)
    for _ in range(8):
        system.deliver("RECORD")
    assert len(system.dead("RECORD")) == 4
    objects, rows = everything(system)
    assert (objects, [row for row in rows if not row["pk"]["S"].startswith("TRIED#")]) == before
    assert MARK not in str(rows)
    log = log_text()
    assert "failed" in log
    assert MARK not in log


def _message(packed: bytes) -> RecordCompletions:
    return RecordCompletions(batch_id=new_id("capture_"), part=0, parts=1, records=packed)


LETTERS = st.characters(codec=None) | st.sampled_from('\x00\ud800\udfff\u2028\ufeff"\\#~')
TEXT = st.text(LETTERS, max_size=20)
NUMBERS = st.integers() | st.floats() | st.sampled_from([2**63, 2**64, 10**400, -(2**63) - 1, -1])
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
SOUND = malformed.sound()


def clear(status: int, answer: Any) -> None:
    """An answer, or a refusal in OpenAI's shape."""
    assert status < 500, answer
    if status >= 400:
        assert answer["error"].keys() == {"message", "type", "param", "code"}


@ANY
@given(body=st.binary(max_size=200), encoding=st.sampled_from([None, "gzip", "zstd", "GZIP", "", "x"]))
def test_any_bytes_are_answered(body: bytes, encoding: str | None, system: System) -> None:
    status, answer = push(system, body, encoding)
    clear(status, answer)
    assert status >= 400


@ANY
@given(document=JSON)
def test_any_json_is_answered(document: Any, system: System) -> None:
    status, answer = push(system, json.dumps(document).encode())
    clear(status, answer)
    assert status >= 400


@ANY
@given(way=st.sampled_from(list(places(SOUND))), value=JSON)
def test_any_json_within_a_record_is_refused_or_recorded(way: Any, value: Any, system: System) -> None:
    status, answer = push(system, json.dumps(changed(way, value)).encode())
    clear(status, answer)
    if status == 202:
        while system.deliver("RECORD"):
            pass
        assert system.dead("RECORD") == []
        assert all(index.find(name) for name in answer["ids"])


# The fields of each body, and a body that is taken.
BODIES: dict[str, tuple[list[str], dict[str, Any]]] = {
    "/v1/chat/completions/chatcmpl-sound-1": (["metadata"], {}),
    "/v1/filters": (["name", "filter"], {"name": "n", "filter": {}}),
    "/v1/retention_policies": (["retention_days", "model", "metadata", "all"], {"retention_days": 1}),
    "/v1/keys": (
        ["name", "scopes", "store", "metadata", "fallback_model"],
        {"name": "n", "scopes": ["read"]},
    ),
    "/v1/chat/completions": (
        ["model", "messages", "stream", "stream_options", "store", "metadata", "n", "tools", "temperature"],
        {"model": "lab-small", "messages": [{"role": "user", "content": "hello"}]},
    ),
}
CONDITIONS = sorted(Filter.model_fields)


@pytest.mark.parametrize("url", BODIES)
@FEW
@given(data=st.data())
def test_any_json_is_answered_elsewhere_too(url: str, data: st.DataObject, system: System) -> None:
    push(system, malformed.line())
    system.deliver("RECORD")
    names, sound = BODIES[url]
    some = st.dictionaries(st.sampled_from(names), JSON, max_size=3)
    document = data.draw(some.map(lambda fields: {**sound, **fields}) | JSON)
    if url == "/v1/filters" and data.draw(st.booleans()):
        document = {**sound, "filter": data.draw(st.dictionaries(st.sampled_from(CONDITIONS), JSON, max_size=3))}
    status, answer = system.call("POST", url, json.dumps(document).encode())
    clear(status, answer)
    assert system.call("GET", url)[0] in {200, 404}
    if url == "/v1/filters" and status == 200:
        clear(*system.call("GET", f"/v1/chat/completions?filter={answer['id']}"))


@pytest.mark.parametrize("url", BODIES)
@FEW
@given(body=st.binary(max_size=100))
def test_any_bytes_are_answered_elsewhere_too(url: str, body: bytes, system: System) -> None:
    clear(*system.call("POST", url, body))
