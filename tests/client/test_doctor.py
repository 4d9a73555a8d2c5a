"""`stillhouse doctor` against the API in process: what is wrong is named with its remedy, and dead letters go back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from foundation import aws
from stillhouse import cli
from stillhouse.checked import checks
from stillhouse.checked.checks import Finding
from stillhouse.importing.stopped import Stopped
from tests.client.in_process import connect
from tests.flow.system import System


@pytest.fixture
def stack(system: System, monkeypatch: pytest.MonkeyPatch) -> System:
    connect(system, monkeypatch)
    return system


def findings(*words: str, code: int) -> dict[str, dict[str, Any]]:
    result = CliRunner().invoke(cli.app, ["doctor", "--json", *words])
    assert result.exit_code == code, result.output
    return {finding["check"]: finding for finding in json.loads(result.stdout[result.stdout.index("[") :])}


@pytest.mark.usefixtures("stack")
def test_a_sound_stack_has_nothing_wrong() -> None:
    found = findings(code=0)
    assert {name: found[name]["state"] for name in ("address", "clock", "queues", "open work", "alarms")} == {
        "address": "ok",
        "clock": "ok",
        "queues": "ok",
        "open work": "ok",
        "alarms": "warn",
    }
    assert found["provider default"]["says"].startswith("is configured")


def test_providers_are_asked_where_that_is_wanted(stack: System) -> None:
    for name, model in (("lab", "lab-small"), ("broken", "none")):
        body = {"name": name, "base_url": f"{stack.lab}/v1", "models": [model]}
        stack.ok("POST", "/v1/providers", body)
    found = findings("--ask-providers", code=3)
    assert "lab-small answered in" in found["provider lab"]["says"]
    assert (found["provider broken"]["state"], found["provider broken"]["says"][:4]) == ("wrong", "404 ")
    assert "not asked" in found["provider default"]["says"]


def test_dead_letters_are_wrong_until_they_are_put_back(stack: System) -> None:
    aws.sqs().send_message(QueueUrl=stack.queues["VERDICT"], MessageBody="no message")
    stack.settle()
    found = findings(code=3)["queue verdict"]
    assert (found["state"], found["says"][:15]) == ("wrong", "1 dead letter: ")
    assert found["remedy"].endswith("stillhouse doctor --redrive verdict")
    lines = CliRunner().invoke(cli.app, ["doctor"]).stdout.splitlines()
    assert any(line.startswith("wrong  queue verdict: 1 dead letter") for line in lines)
    moved = CliRunner().invoke(cli.app, ["doctor", "--redrive", "verdict"])
    assert (moved.exit_code, moved.stdout.splitlines()[-1]) == (0, "verdict: completed, 1 so far")
    assert CliRunner().invoke(cli.app, ["doctor", "--redrive", "none"]).exit_code == 1


def health(**changed: Any) -> dict[str, Any]:
    return {"at": int(checks.time.time()), "queues": [], "open": [], "alarms": [], **changed}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"at": 1_790_000_000}, ("clock", "warn")),
        ({"alarms": [{"name": "a", "about": "what", "state": "alarm", "since": 1}]}, ("a", "wrong")),
        (
            {"open": [{"id": "j", "status": "x", "waits_for": "bedrock", "waits_since": 1, "kind": "job"}]},
            ("j", "warn"),
        ),
        (
            {"queues": [{"name": "grade", "dead": 0, "dead_letters": [], "oldest_seconds": 5_000, "waiting": 3}]},
            ("queue grade", "warn"),
        ),
    ],
)
def test_each_sign_is_told(monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any], expected: tuple[str, str]) -> None:
    answers = {"/openapi.json": {"info": {"version": "1"}}, "/health": health(**changed), "/providers": {"data": []}}
    monkeypatch.setattr(checks.stack, "asked", lambda _, __, path, *___: answers[path])
    assert expected in [(finding.check, finding.state) for finding in checks.findings("x", ask_providers=False)]


def test_a_key_that_may_not_look_is_said_and_nothing_is_called_well(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(_: str, __: str, path: str) -> dict[str, Any]:
        if path == "/health":
            raise Stopped("403: the key lacks the scope admin")
        return {"info": {"version": "2"}}

    monkeypatch.setattr(checks.stack, "asked", asked)
    address, health_ = checks.findings("x", ask_providers=False)
    assert address.state == "warn"
    assert health_ == Finding("health", "wrong", "403: the key lacks the scope admin", health_.remedy)
    assert "admin" in health_.remedy
