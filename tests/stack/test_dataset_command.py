"""Every `stillhouse dataset` command on the deployed stack, as a user runs them one behind the other."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from local.stack.info import StackInfo
from tests.stack import commands
from tests.stack.api import client

TEACHER = "gpt-4o"


@pytest.fixture
def user(stack: StackInfo, monkeypatch: pytest.MonkeyPatch) -> commands.User:
    return commands.at(stack, monkeypatch)


@pytest.fixture
def files(stack: StackInfo) -> tuple[str, str]:
    """Two dozen mails to train on, two of which contradict each other and one of which is a test row; and that row."""
    mails = [_line(f"dataset command: mail {number}", "yes") for number in range(24)]
    mails.append(_line("dataset command: mail 3", "no"))
    made = client(stack).files.create(
        file=("mails.jsonl", "\n".join(mails).encode()), purpose="fine-tune", extra_body={"odd_rows": "keep"}
    )
    item = {"input": [{"role": "user", "content": "dataset command: mail 7"}], "completion_id": "row-7"}
    held = client(stack).files.create(file=("t.jsonl", json.dumps({"item": item}).encode()), purpose="evals")
    return made.id, held.id


def _line(question: str, answer: str) -> str:
    said = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return json.dumps({"messages": said})


def test_a_set_is_made_looked_into_mended_compared_exported_canceled_and_deleted(
    user: commands.User, files: tuple[str, str], tmp_path: Path
) -> None:
    run, said = partial(user.run, "dataset"), partial(user.said, "dataset")
    source = ["--file", files[0], "--file-model", TEACHER, "--held-out-file", files[1]]
    made = run("create", *source)
    name = made.stdout.partition(":")[0]
    assert made.stderr.splitlines()[-1].startswith(f"{name}: ready after"), "progress is told beside the answer"
    assert "  1 dropped by test_leaks" in made.stdout.splitlines()
    assert "  1 dropped by contradictions" in made.stdout.splitlines()
    assert f"{name}  ready  23 of 25 completions" in run("list").stdout
    assert name in {dataset["id"] for dataset in said("list")}
    [leak] = run("rows", name, "--rule", "test_leaks").stdout.splitlines()
    assert leak.endswith("test_leaks: It asks what a test row asks. (row-7)")
    dropped = json.loads(run("rows", name, "--rule", "contradictions", "--json").stdout)
    assert run("report", name).stdout.startswith("# ")
    assert said("report", name)["rows"] == 23

    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps({"keep": [dropped["id"]], "validation_share": 0}))
    other = said("create", *source, "--recipe", str(recipe))
    assert (other["status"], other["card"]["changed"]) == ("ready", {"kept_by_hand": 1})
    difference = run("diff", name, other["id"]).stdout.splitlines()
    assert difference[0].endswith("0 in the first alone, 0 in the other alone")
    assert said("diff", name, other["id"])["changed"] >= 2

    written = tmp_path / "train.jsonl"
    assert run("export", other["id"], "-o", str(written)).stdout == f"23 lines in {written}\n"
    assert said("export", other["id"], "-o", str(written), "--format", "trl-messages")["lines"] == 23
    assert json.loads(written.read_text().splitlines()[0])["messages"][0]["role"] == "user"

    assert "This dataset is over: ready." in run("cancel", name, code=1).output
    for one in (name, other["id"]):
        assert run("delete", one).stdout == f"deleted: {one}\n"
    assert "No dataset found" in run("report", name, code=1).output
    assert {path for path in commands.every_command() if path[0] == "dataset"} <= user.ran
