"""`stillhouse verdict` and `stillhouse channel`, against the API in process: what a person reads."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from foundation import blobs
from stillhouse import cli
from tests.client.in_process import connect
from tests.distilling import build
from tests.flow.system import System
from verdict.decide import decide

type Command = Callable[..., Result]
URL = "https://hooks.test/services/T0/B0/very-secret"


@pytest.fixture
def command(system: System, monkeypatch: pytest.MonkeyPatch) -> Command:
    connect(system, monkeypatch)

    def run(*words: str, fails: int = 0, reads: str = "") -> Result:
        result = CliRunner().invoke(cli.app, list(words), input=reads)
        assert result.exit_code == fails, result.output
        return result

    return run


def test_a_verdict_is_shown_whole_and_computed_anew(command: Command) -> None:
    distillation = build.distillation("deciding", model=build.MODEL)
    for role, letters in (("teacher", "p" * 50), ("baseline", "f" * 50), ("distilled", "p" * 50)):
        build.graded(distillation, role, letters)
    blobs.put(distillation.rows_key, b'{"item": {"input": []}}\n')
    decide(distillation.id)

    lines = command("verdict", distillation.id).stdout.splitlines()
    assert lines[0].startswith(f"{build.MODEL} beats its baseline {build.STUDENT}: 100.0% against 0.0% on 50 test rows")
    assert lines[-1] == f"https://api.test/distillations/{distillation.id}"
    assert any(line.startswith("rows won 50, lost 0") for line in lines)
    assert json.loads(command("verdict", distillation.verdict_id, "--json").stdout)["outcome"] == "beats_baseline"
    again = command("verdict", distillation.id, "--recompute").stdout.splitlines()
    assert again == [lines[0], "computed anew, it is the same"]
    assert "verdict_none" in command("verdict", "verdict_none", fails=1).stderr


def test_no_name_in_a_verdict_acts_on_the_terminal(command: Command) -> None:
    distillation = build.distillation("deciding", model="ft:\x1b[2J")
    for role in ("teacher", "baseline", "distilled"):
        build.graded(distillation, role, "p" * 10)
    blobs.put(distillation.rows_key, b'{"item": {"input": []}}\n')
    decide(distillation.id)
    for options in ((), ("--recompute",)):
        shown = command("verdict", distillation.id, *options).stdout
        assert "ft:<U+001B>[2J" in shown
        assert "\x1b" not in shown


def test_a_channel_is_added_tested_looked_at_and_removed(
    command: Command, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM_URL", URL)
    by_variable = command(
        "channel", "add", "team", "--event", "distillation.verdict", "--url-env", "TEAM_URL", "--json"
    )
    signed = command(
        "channel", "add", "ci", "--type", "webhook", "--event", "eval.run.failed", reads=f"{URL}\n"
    ).stdout.splitlines()
    team = json.loads(by_variable.stdout)
    assert signed[1].startswith("it signs with whsec_")
    listed = command("channel", "list").stdout.splitlines()
    assert [line.split("  ")[1] for line in listed] == ["email", "slack", "webhook"]
    assert "very-secret" not in command("channel", "list").stdout + by_variable.stdout
    changed = command("channel", "events", team["id"], "--event", "spending.cap_reached").stdout
    assert changed.rstrip().endswith("spending.cap_reached")
    assert command("channel", "test", "channel_email").stdout.endswith("channel deliveries channel_email\n")
    system.settle()
    [told] = command("channel", "deliveries", "channel_email").stdout.splitlines()
    assert told.endswith("channel.test  channel_email  delivered (1 attempt)")
    assert command("channel", "remove", team["id"]).stdout == f"removed: {team['id']}\n"
    assert "cannot be deleted" in command("channel", "remove", "channel_email", fails=1).stderr


def test_a_url_that_was_not_given_is_asked_for(command: Command) -> None:
    add = ("channel", "add", "team", "--event", "distillation.verdict")
    assert "NOWHERE is not set" in command(*add, "--url-env", "NOWHERE", fails=1).stderr
    assert "no URL was given" in command(*add, fails=1).stderr
