"""Every call of the corpus comes to the same stored completion through the gateway, by a push and by an import.

The wrappers are held to the same cases by `tests/client/test_wrapped_shapes.py`. Where a door does not take a case, the
case says which field it names, or why.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from completions import index
from stillhouse.capturing.assemble import completion_in
from stillhouse.capturing.records import to_json
from stillhouse.importing import jsonl
from stillhouse.importing.source import Unmapped
from stillhouse.importing.valid import validated
from tests.client.shapes import Call, calls
from tests.flow.system import System
from tests.gateway.provider import Said, Scripted

type Door = Callable[[System, Scripted, Call], str | None]
"""Sends a call's answer through a door; what it names where it refuses."""


def whole(call: Call) -> bytes:
    """The answer as a provider gives it without `stream`; the chunks of one are put together as the wrapper does it."""
    return call.body if call.kind == "application/json" else to_json(completion_in(call.body))


def expected(call: Call) -> dict[str, Any]:
    """What is stored of an answer."""
    known = call.expected()
    if call.path.endswith("/responses"):
        return dict(known)
    return {"response": known or json.loads(call.body), "untrainable": None}


def through_gateway(system: System, provider: Scripted, call: Call) -> str | None:
    said = Said(200, whole(call), {})
    provider.answers, provider.responses = [said], [said]
    status, answer = system.call("POST", call.path, call.request)
    assert status == 200, answer
    return None


def by_push(system: System, _: Scripted, call: Call) -> str | None:
    pushed = b'{"request":%b,"response":%b}' % (json.dumps(call.request).encode(), whole(call))
    status, answer = system.call("POST", "/v1/captures", pushed)
    assert status in {202, 400}, answer
    return str(answer["error"]["param"]) if status == 400 else None


def by_import(system: System, _: Scripted, call: Call) -> str | None:
    row = {"request": call.request, "response": json.loads(whole(call))}
    try:
        record = validated(jsonl.record_of(row, created=9))
    except Unmapped as unmapped:
        return unmapped.reason
    if record.notes:
        return record.notes[0]
    status, answer = system.call("POST", "/v1/captures", record.line())
    assert status in {202, 400}, answer
    return str(answer["error"]["param"]) if status == 400 else None


@pytest.mark.parametrize(
    ("door", "refusal"),
    [(through_gateway, None), (by_push, "push_refuses"), (by_import, "import_says")],
    ids=["gateway", "push", "import"],
)
def test_every_case_is_stored_alike_or_it_is_said_why_not(
    system: System, provider: Scripted, subtests: pytest.Subtests, door: Door, refusal: str | None
) -> None:
    taken = []
    for call in calls(f"{door.__name__}-"):
        if call.case.left_out:
            continue
        with subtests.test(call.name):
            # What comes as a stream was read by a wrapper, which leaves nothing in it that a push refuses.
            refused = getattr(call.case, refusal) if refusal and call.kind == "application/json" else None
            assert door(system, provider, call) == refused
            taken += [] if refused else [call]
    system.settle()
    for call in taken:
        with subtests.test(call.name):
            reference = index.find(f"{'resp_' if call.path.endswith('/responses') else 'chatcmpl'}-{call.mark}")
            assert reference is not None
            (completion,) = index.read([reference])
            assert {"response": completion.response, "untrainable": completion.untrainable} == expected(call)
    assert len(taken) > 100
