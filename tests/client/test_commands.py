"""The commands from captured completions to a verdict, against the API in process: what a person reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from stillhouse import asking, cli, watched
from tests.client.in_process import connect
from tests.flow import loop
from tests.flow.system import System

type Command = Callable[..., Said]


class Said(NamedTuple):
    """What the command wrote, without the log of the functions, which run in this process."""

    stdout: str
    stderr: str


TAGS = ("--tag", "tag=cli")


@pytest.fixture
def command(system: System, monkeypatch: pytest.MonkeyPatch) -> Command:
    """`stillhouse` with these words, at a system that has captured 42 mails."""
    loop.capture(system, "cli")
    connect(system, monkeypatch)

    def run(*words: str, fails: int = 0) -> Said:
        result = CliRunner().invoke(cli.app, list(words))
        assert result.exit_code == fails, result.output
        lines = result.stdout.splitlines(keepends=True)
        return Said("".join(line for line in lines if not line.startswith('{"level"')), result.stderr)

    return run


@pytest.fixture
def eval_id(command: Command, tmp_path: Path) -> str:
    file = tmp_path / "eval.json"
    criterion = {
        "type": "string_check",
        "name": "correct",
        "input": "{{ sample.output_text }}",
        "reference": "{{ item.reference }}",
        "operation": "eq",
    }
    file.write_text(json.dumps({"name": "triage", "testing_criteria": [criterion]}))
    return str(json.loads(command("eval", "create", str(file), "--json").stdout)["id"])


def test_completions_are_listed_found_shown_and_counted(command: Command) -> None:
    lines = command("list", *TAGS, "--limit", "3").stdout.splitlines()
    assert [line.split("  ")[0] for line in lines] == [f"chatcmpl-cli-{number}" for number in (1011, 1010, 1009)]
    assert lines[0].endswith("recorded-teacher  split=test tag=cli  billing")
    many = command("list", "--tag", "split=train", "--limit", "200", "--json").stdout.splitlines()
    assert len({json.loads(line)["id"] for line in many}) == 30
    assert [line.split("  ")[0] for line in command("search", "mail 1007").stdout.splitlines()] == ["chatcmpl-cli-1007"]
    assert command("list", "--tag", "split=none").stdout == ""
    shown = command("show", "chatcmpl-cli-1").stdout
    assert "[user]\nmail 1: the " in shown
    assert "[answer, stop]\nlogin" in shown
    assert command("usage", *TAGS, "--by", "metadata.split").stdout.splitlines() == [
        "test  12 completions, 0 failed  240 + 12 tokens  p50 40 ms  cost not known",
        "train  30 completions, 0 failed  600 + 30 tokens  p50 40 ms  cost not known",
    ]


def test_an_export_has_every_completion_in_the_shape_of_a_push(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "all.jsonl"
    assert command("export", *TAGS, "-o", str(file)).stdout == f"42 completions in {file}\n"
    records = [json.loads(line) for line in file.read_text().splitlines()]
    assert {record["metadata"]["split"] for record in records} == {"train", "test"}
    assert all(record["request"]["messages"] and record["response"]["choices"] for record in records)
    assert list(tmp_path.glob("*.part")) == []


def test_an_export_that_stops_leaves_no_half_of_a_file(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = b'{"object":"completion.link","id":"a","bytes":9,"url":"https://bucket.example/x","url_expires_at":1}\n'
    monkeypatch.setattr(asking, "page", lambda *_: (line, "next"))
    monkeypatch.setattr(asking, "linked", lambda url: pytest.fail(url) if "bucket" not in url else b'{"a": 1}\n')
    pages = iter([(line, "next"), (line, None)])
    monkeypatch.setattr(asking, "page", lambda *_: next(pages))
    command("export", "-o", str(tmp_path / "two.jsonl"))
    assert (tmp_path / "two.jsonl").read_bytes() == b'{"a": 1}\n' * 2
    monkeypatch.setattr(asking, "page", lambda *_: (_ for _ in ()).throw(OSError("gone")))
    command("export", "-o", str(tmp_path / "none.jsonl"), fails=1)
    assert [file.name for file in tmp_path.iterdir()] == ["two.jsonl"]


@pytest.mark.parametrize(
    ("said", "told"),
    [(("--tag", "split"), "'split' is no tag: write key=value"), (("--since", "soon"), "'soon' is no time")],
)
def test_what_cannot_be_understood_is_named(command: Command, said: tuple[str, str], told: str) -> None:
    assert told in command("list", *said, fails=1).stderr


def test_runs_are_made_watched_shown_and_compared(command: Command, eval_id: str) -> None:
    stored = json.loads(command("run", "create", eval_id, "--tag", "split=test", "--json").stdout)
    anew = command("run", "create", eval_id, "--tag", "split=test", "--model", "lab-small", "--no-wait")
    run_id = anew.stdout.split("  ")[0]
    watched_run = command("watch", run_id)
    assert watched_run.stderr.splitlines()[-1] == f"{run_id}: completed"
    lines = command("run", "show", stored["id"]).stdout.splitlines()
    assert lines[1].startswith("  100.0% of 12 rows pass (")
    assert lines[2].startswith("  correct: 100.0% of 12 rows pass (")
    assert len(command("run", "list", eval_id).stdout.splitlines()) == 2
    compared = command("compare", stored["id"], run_id).stdout.splitlines()
    assert compared[0].startswith("better: +")
    assert command("run", "rows", stored["id"], "--failed").stdout == ""
    rows = command("run", "rows", stored["id"]).stdout.splitlines()
    assert len(rows) == 12
    assert rows[0].endswith("pass  correct: pass")
    assert "This run is over" in command("run", "cancel", run_id, fails=1).stderr
    assert command("run", "show", "evalrun_none", fails=1).stderr.startswith("error: 404")


def test_from_the_tags_to_a_verdict(command: Command, eval_id: str, tmp_path: Path) -> None:
    file = tmp_path / "gate.json"
    file.write_text(json.dumps({"gate": {"expected_gain": 0.9}}))
    words = ["distill", "--file", str(file), "--eval", eval_id, "--teacher", "recorded-teacher"]
    words += ["--student", "lab-small", "--train-tag", "split=train", "--test-tag", "split=test"]
    ended = command(*words)
    name = ended.stdout.split("  ")[0]
    assert "completed" in ended.stdout.splitlines()[0]
    assert [line.split(": ")[0] for line in ended.stdout.splitlines()[2:5]] == [
        "  teacher",
        "  baseline",
        "  distilled",
    ]
    assert ended.stderr.splitlines()[-1] == f"{name}: completed"
    assert command("distillation", "list").stdout.startswith(f"{name}  completed  ")
    assert "1 attempts  best " in command("experiments").stdout
    assert command("experiments", eval_id).stdout.startswith(f"{name}  ")
    verdict = json.loads(command("distillation", "show", name, "--json").stdout)["verdict"]
    tree = command("lineage", verdict["id"]).stdout.splitlines()
    assert tree[0] == "came from"
    assert any(line.startswith("  dataset  dataset_") for line in tree)
    assert any(line.startswith("30 completions, as chatcmpl-cli-") for line in tree)


def test_a_blocked_one_says_why_and_how_to_go_on(command: Command, eval_id: str) -> None:
    words = ["distill", "--eval", eval_id, "--teacher", "recorded-teacher", "--student", "lab-small"]
    words += ["--train-tag", "split=train", "--test-tag", "split=test"]
    blocked = command(*words, fails=watched.BLOCKED_CODE)
    name = blocked.stdout.split("  ")[0]
    assert f"  go on with it: stillhouse distillation approve {name}" in blocked.stdout.splitlines()
    assert command("distillation", "approve", name).stdout.split("  ")[1] == "completed"
    command("distillation", "cancel", name, fails=1)


def test_what_cannot_be_watched_is_refused(command: Command) -> None:
    assert "cannot be watched" in command("watch", "file-1", fails=1).stderr


def test_keys_are_created_listed_and_revoked(command: Command) -> None:
    made = command("key", "create", "triage", "--scope", "capture", "--scope", "infer", "--store", "--tag", "team=mail")
    assert made.stdout.startswith("sk-sh-")
    key_id = made.stderr.split(":")[0]
    assert f"{key_id}  triage  capture, infer" in command("key", "list").stdout.splitlines()
    assert command("key", "revoke", key_id).stdout == f"revoked: {key_id}\n"
    assert f"{key_id}  triage  capture, infer  revoked" in command("key", "list").stdout.splitlines()
