"""Every call of `shapes.py` goes through both wrappers, as an application makes it, to the same stored completion."""

import json
from contextlib import suppress

import pytest
from openai import APIError

from capture.odd import completion_of
from stillhouse.capturing import delivery
from tests.client.shapes import calls

CALLS = {call.name: call for call in calls()}
LEFT_OUT = {name for name, call in CALLS.items() if call.case.left_out}
PLAIN = ("model", "messages", "input", "user", "store", "stream")
SAID = ("name", "path", "request", "kind")


@pytest.fixture
def of_python(wrap, provider, stillhouse, monkeypatch):
    """The records that the wrapper of the Python SDK pushed, by the name of their call."""
    monkeypatch.setattr(delivery, "LINGER_S", 0.05)
    provider.say = lambda asked: (200, CALLS[asked["user"]].kind, CALLS[asked["user"]].pieces())
    client = wrap()
    for call in CALLS.values():
        create = client.responses.create if call.path.endswith("/responses") else client.chat.completions.create
        plain = {name: value for name, value in call.request.items() if name in PLAIN}
        answer = create(**plain, extra_body={name: call.request[name] for name in call.request.keys() - plain})
        # An error in the middle of a stream is the application's.
        with suppress(APIError):
            list(answer if call.request.get("stream") else ())
    assert client.stillhouse.flush(20)
    assert client.stillhouse.counts.incomplete == len(LEFT_OUT)
    return {record["request"]["user"]: record for record in stillhouse.records}


@pytest.fixture
def of_node(node):
    """The same of the JavaScript wrapper, in one process."""
    asked = [{name: getattr(call, name) for name in SAID} | {"body": call.body.decode()} for call in CALLS.values()]
    saw = node.answered("wrapped.ts", given=asked)
    assert saw["flushed"]
    assert saw["counts"]["incomplete"] == len(LEFT_OUT)
    return {name: record for name, record in saw["records"].items() if record is not None}


def test_both_wrappers_keep_every_case_as_the_same_completion(of_python, of_node, subtests):
    assert of_python.keys() == of_node.keys() == CALLS.keys() - LEFT_OUT
    # Both keep an integer of any length as it is, and a push names the field.
    alike = [name for name in of_python if CALLS[name].case.push_refuses != "response.seed"]
    for name in alike:
        with subtests.test(name):
            python, javascript = (stored(wrapped[name]) for wrapped in (of_python, of_node))
            assert javascript == python
            expected = CALLS[name].expected()
            if CALLS[name].path.endswith("/responses"):
                assert (python["response"], python.get("untrainable")) == tuple(expected.values())
            elif expected is not None:
                assert python["response"] == expected


def stored(record):
    """What becomes of a pushed record, without the time and the host that no two calls have in common."""
    calls_own = {"latency_ms", "provider", "content_hash"}
    return {name: value for name, value in json.loads(completion_of(record).line()).items() if name not in calls_own}


def test_there_are_many_cases():
    assert len(CALLS) > 80
