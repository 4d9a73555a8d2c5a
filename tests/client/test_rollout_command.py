"""`stillhouse rollout` against the API in process: what a person reads of a rollout, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from typer.testing import CliRunner

from providers import registry
from rollouts.advancing import advance
from rollouts.rollout import Rollout
from rollouts.round import SideTally
from stillhouse import cli, watched
from tests.client.in_process import connect
from tests.flow.system import System
from tests.rolling_out import calls
from tests.rollouts.build import add_round, tally

type Command = Callable[..., str]

SHORT = {"type": "regex", "name": "short", "input": "{{ sample.output_text }}", "pattern": "^.{1,80}$"}


@pytest.fixture
def command(system: System, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """`stillhouse rollout` with these words, at a system whose models have prices; what it prints."""
    registry.forget()
    monkeypatch.setattr("rollouts.starting.is_priced", lambda _: True)
    connect(system, monkeypatch)

    def run(*words: str, fails: int = 0) -> str:
        result = CliRunner().invoke(cli.app, ["rollout", *words])
        assert result.exit_code == fails, result.output
        told = result.stdout + result.stderr
        return "".join(line for line in told.splitlines(keepends=True) if not line.startswith('{"level"'))

    yield run
    registry.forget()


@pytest.fixture
def begun(system: System, command: Command) -> str:
    """The id of a rollout that was started by the command."""
    system.ok("PUT", "/v1/aliases/quick", {"targets": [{"model": "lab-judge"}]})
    data = {"type": "custom", "item_schema": {"type": "object"}, "include_sample_schema": True}
    asked = {"name": "replies", "data_source_config": data, "testing_criteria": [SHORT]}
    eval_id = system.ok("POST", "/v1/evals", asked)["id"]
    words = ["start", "quick", "lab-small", "--eval", eval_id, "--max-usd", "5", "--stages", "0, 50%, 100"]
    made = command(*words, "--min-minutes", "0", "--quality-margin", "0.05", "--max-latency-ms", "900", "--json")
    return str(json.loads(made)["id"])


def test_a_rollout_is_started_with_what_was_given_and_shown_whole(begun: str, command: Command) -> None:
    rollout = Rollout.load(begun)
    assert (rollout.stages, rollout.gates.quality_margin, rollout.gates.max_latency_p95_ms) == ([0, 50, 100], 0.05, 900)
    add_round(rollout, tally(40, 2, usd=0.5))
    shown = command("show", begun).splitlines()
    assert shown[:2] == [
        f"{begun}  running, no calls of users  quick: lab-judge -> lab-small",
        "  [shadow] > 50% > 100%",
    ]
    assert shown[3].startswith("  quality    unknown   Of 40 pairs the candidate failed 2, the stable model 0: +5.0 po")
    assert shown[3].endswith("% of the evidence that rolls back.")
    assert "  shadow  40 pairs, 2 worse, 0 better; users got 0 of lab-judge, 0 of lab-small" in shown
    assert "  $0.5000 of $5.00 spent on second answers and judges" in shown
    assert "  started, no calls of users  by first  " in shown[-1]
    assert command("list", "--alias", "quick", "--status", "running").splitlines() == [shown[0]]
    assert command("list", "--status", "promoted") == ""


def test_who_watches_sees_each_step_until_it_is_promoted(
    begun: str, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def a_round_passes(_: float) -> None:
        rollout = Rollout.load(begun)
        timely = SideTally(asked=100, timed=100)
        add_round(rollout, tally(100, candidate=timely), key=f"in stage {rollout.stage}")
        advance(begun)

    monkeypatch.setattr(watched.time, "sleep", a_round_passes)
    told = command("watch", begun).splitlines()
    assert [line for line in told if line.startswith(f"{begun}: ")] == [
        f"{begun}: running, 0% of the calls",
        f"{begun}: running, 50% of the calls",
        f"{begun}: running, 100% of the calls",
        f"{begun}: promoted, 100% of the calls",
    ]


def test_it_is_frozen_resumed_and_rolled_back_by_words(begun: str, command: Command) -> None:
    assert command("freeze", begun, "--why", "a holiday").splitlines()[0].split("  ")[1].startswith("frozen")
    assert "Somebody has frozen it" in command("watch", begun, fails=watched.BLOCKED_CODE)
    assert "  running, " in command("resume", begun, "--max-usd", "6")
    assert Rollout.load(begun).max_usd == 6
    add_round(Rollout.load(begun), tally(60, 40))
    assert "Of 60 pairs the candidate failed 40" in command("show", begun)
    back = command("rollback", begun, "--why", "a complaint")
    assert "a complaint" in back
    assert "rolled back" in back.splitlines()[0]
    ended = command("watch", begun, fails=watched.FAILED_CODE)
    assert f"{begun}: rolled_back, 0% of the calls" in ended.splitlines()
    assert command("delete", begun) == f"deleted: {begun}\n"
    assert "404" in command("show", begun, fails=1)


def test_what_cannot_be_started_says_what_is_missing(command: Command, begun: str) -> None:
    assert "or --verdict, which has both" in command("start", "quick", "lab-small", "--max-usd", "1", fails=1)
    words = ["start", "quick", "lab-small", "--eval", "eval_1", "--max-usd", "1"]
    assert "'few' are no stages" in command(*words, "--stages", "few", fails=1)
    assert command("cancel", begun).splitlines()[0].split("  ")[1].startswith("canceled")


def test_pairs_are_shown_with_both_answers(command: Command, system: System) -> None:
    rollout = calls.begun()
    calls.push(system, *(calls.call(number) for number in range(3)))
    lines = command("pairs", rollout.id).splitlines()
    assert len(lines) == 9
    assert lines[0].startswith("chatcmpl-live-")
    assert lines[1].startswith("  pass  lab-judge (users got): ")
    assert lines[1].endswith("  [right: pass]")
    assert "  lab-small (asked afterwards): " in lines[2]
    lost = [json.loads(line) for line in command("pairs", rollout.id, "--lost", "--json").splitlines()]
    assert all(pair["lost"] for pair in lost)
