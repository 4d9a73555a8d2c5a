"""A cascade end to end: promised by a verdict, used by an alias, judged call by call by what a real student says."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from aliases.known import known_aliases
from providers import registry
from tests.flow import loop
from tests.flow.system import System
from tests.lab_server import serving_lab

CHAT = "/v1/chat/completions"
QUICK = "/v1/aliases/quick"


@pytest.fixture(scope="module")
def lab_server() -> Iterator[str]:
    """A lab of its own: other tests count on it that no provider has the recorded teacher."""
    with serving_lab() as address:
        yield address


@pytest.mark.soak
def test_what_a_verdict_promises_is_used_as_it_stands(system: System) -> None:
    loop.capture(system, "cascade", test=240)
    ended = loop.completed(system, loop.distill(system, "cascade")["id"])
    part = ended["verdict"]["cascade"]
    [found] = part["sources"]
    assert (found["rows"], found["known"], found["why_none"]) == (240, 240, None)
    assert found["loss"] <= part["margin"]
    assert found["share"] > 0.5
    assert found["passed"]["passed"] >= 240 * (1 - part["margin"])
    again = system.ok("POST", f"/v1/verdicts/{ended['id']}/recompute")
    assert (again["same"], again["differs"]) == (True, [])
    words = system.ok("GET", f"/v1/verdicts/{ended['id']}/text")["lines"]
    assert any(line.startswith("cascade: the model keeps") for line in words)
    said = [{"messages": loop.messages(number), "answers": {loop.TEACHER: "billing"}} for number in range(1000, 1024)]
    httpx.post(f"{system.lab}/lab/recordings", content="\n".join(map(json.dumps, said))).raise_for_status()
    registry.forget()
    known_aliases.forget()
    made = system.ok("PUT", QUICK, {"targets": [found["target"]], "verdict_id": ended["verdict"]["id"]})
    assert made["targets"][0]["cascade"]["to"] == loop.TEACHER
    sure = [_asked(system, number, threshold=found["threshold"]) for number in range(1000, 1024)]
    assert sum(kept for kept, _ in sure) >= 8
    # Another one, so that about half go on to the teacher, whose answers to these questions are recorded.
    middle = sorted(confidence for _, confidence in sure)[12]
    strict = {**found["target"], "cascade": {**found["target"]["cascade"], "threshold": middle}}
    system.ok("PUT", QUICK, {"targets": [strict]})
    known_aliases.forget()
    judged = [_asked(system, number, threshold=middle) for number in range(1000, 1024)]
    assert 8 <= sum(kept for kept, _ in judged) <= 16
    system.settle()
    usage = system.ok("GET", "/v1/usage?group_by=model&alias=quick")["data"]
    sent_on = sum(not kept for kept, _ in [*sure, *judged])
    by_model = {group["group"]["model"]: (group["completions"], group["unkept"]) for group in usage}
    assert by_model == {ended["model"]: (48 - sent_on, sent_on), loop.TEACHER: (sent_on, 0)}


def _asked(system: System, number: int, *, threshold: float) -> tuple[bool, float]:
    """Whether the answer to this mail was kept, and how sure the student was."""
    code, body = system.call("POST", CHAT, {"model": "quick", "messages": loop.messages(number), "store": True})
    what, _, confidence = system.headers["x-stillhouse-cascade"].partition("; confidence=")
    assert (code, body["choices"][0]["logprobs"]) == (200, None)
    assert (what == "kept") == (float(confidence) >= threshold)
    return what == "kept", float(confidence)
