"""The answers of `tests/data/shapes/`: each door takes them to the same stored response, or a push names the field.

A wrapper's line is pushed as it would be in its background.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from completions import index
from stillhouse.capturing.counts import Tally
from stillhouse.capturing.records import Packer, Seen
from tests.client import node
from tests.flow.system import System
from tests.gateway.conftest import CHAT
from tests.gateway.provider import Said, Scripted

CASES = {path.stem: json.loads(path.read_text()) for path in sorted(Path("tests/data/shapes").glob("answer-*.json"))}
ASKED = {"model": "big", "messages": [{"role": "user", "content": "hi"}]}


def of(name: str, door: str) -> tuple[bytes, dict[str, Any]]:
    """What is said by a case, and what of it is stored, under an id of this door's own."""
    given, stored = CASES[name]["given"]["$json"], json.dumps(CASES[name]["expected"])
    return given.replace("-@", f"-{door}-{name}").encode(), json.loads(stored.replace("-@", f"-{door}-{name}"))


def stored(system: System, response: dict[str, Any]) -> dict[str, Any]:
    system.settle()
    reference = index.find(response["id"])
    assert reference is not None
    [completion] = index.read([reference])
    return completion.response


def test_the_gateway_stores_it(system: System, provider: Scripted, subtests: pytest.Subtests) -> None:
    for name in CASES:
        with subtests.test(name):
            given, expected = of(name, "gateway")
            provider.answers = [Said(200, given, {})]
            status, _ = system.call("POST", CHAT, {**ASKED, "store": True})
            assert (status, stored(system, expected)) == (200, expected)
    assert len(provider.asked) == len(CASES)


def test_the_wrapper_stores_it(system: System, subtests: pytest.Subtests) -> None:
    tally = Tally()
    for name, case in CASES.items():
        with subtests.test(name):
            given, expected = of(name, "wrapper")
            line = Packer(None, tally).line(Seen(json.dumps(ASKED).encode(), [given], 5, "p"))
            assert line is not None
            check_line(system, case, line, expected)
    assert tally.snapshot().incomplete == 0


def test_the_javascript_wrapper_stores_it(system: System, subtests: pytest.Subtests) -> None:
    bodies = [of(name, "node")[0].decode() for name in CASES]
    for (name, case), answer in zip(CASES.items(), node.assembled(bodies), strict=True):
        with subtests.test(name):
            line = json.dumps({"request": ASKED, "response": answer}).encode()
            check_line(system, case, line, of(name, "node")[1])


def check_line(system: System, case: dict[str, Any], line: bytes, expected: dict[str, Any]) -> None:
    """Push a wrapper's line, which keeps integers as they are, and look at what is stored."""
    status, answer = system.call("POST", "/v1/captures", line)
    if case.get("push_refuses") == "response.seed":
        assert answer["error"]["param"] == "response.seed"
    else:
        assert (status, stored(system, expected)) == (202, expected)


def test_a_push_stores_it_or_names_the_field(system: System, subtests: pytest.Subtests) -> None:
    for name, case in CASES.items():
        with subtests.test(name):
            given, expected = of(name, "push")
            status, answer = system.call(
                "POST", "/v1/captures", b'{"request":%b,"response":%b}' % (json.dumps(ASKED).encode(), given)
            )
            if "push_refuses" in case:
                assert (status, answer["error"]["param"]) == (400, case["push_refuses"])
            else:
                assert (status, stored(system, expected)) == (202, expected)
    assert CASES
