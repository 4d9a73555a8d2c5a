"""Every command of `stillhouse` on the deployed stack, as somebody works with it from the first key to the last.

`demo` and the commands of `dataset` and `rollout` are run by tests of their own beside this one.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from local.stack.info import StackInfo
from stillhouse import cli
from tests.loopback import serving
from tests.stack import commands
from tests.stack.api import client
from tests.stack.elsewhere import TEACHER, azure, chat, invocation, row

ELSEWHERE = {("demo",)} | {path for path in commands.every_command() if path[0] in {"dataset", "rollout"}}
"""What test_demo.py, test_dataset_command.py and test_rollout.py run."""
CRITERION = {
    "type": "string_check",
    "name": "right queue",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.reference }}",
    "operation": "eq",
}
ANSWER = {"role": "assistant", "content": "login_access"}
BLOCKED, FAILED = 4, 3


class Worker(commands.User):
    """A user with a folder, and a tag that only this test's completions have."""

    def __init__(self, stack: StackInfo, folder: Path) -> None:
        super().__init__()
        self.stack, self.folder, self.tag = stack, folder, f"run={uuid.uuid4().hex[:12]}"

    def file(self, name: str, content: Any) -> str:
        """The path of a file with this text, or with this document as JSON."""
        path = self.folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return str(path)


@pytest.fixture
def user(stack: StackInfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Worker:
    """A user who knows the address of the stack and its key, and whose home is empty."""
    for variable in ("STILLHOUSE_BASE_URL", "STILLHOUSE_API_KEY", "SSL_CERT_FILE"):
        monkeypatch.delenv(variable, raising=False)
    for variable in ("HOME", "XDG_CONFIG_HOME", "SSL_CERT_DIR"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for variable in ("OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "LAB_KEY"):
        monkeypatch.setenv(variable, stack.api_key)
    return Worker(stack, tmp_path)


def test_every_command(user: Worker) -> None:
    """One after the other: each works on what those before it made."""
    signs_in(user)
    pushes_and_looks_at_completions(user)
    eval_id = makes_an_eval(user)
    distillation_id = starts_a_distillation(user, eval_id)
    grades(user, eval_id)
    approves(user, distillation_id)
    keeps_keys(user)
    asks_providers(user)
    tells_channels(user)
    counts_costs(user)
    imports(user, eval_id)
    reads_the_verdict(user, eval_id, distillation_id)
    repeats_and_cancels(user, distillation_id)
    points_aliases(user)
    asks_the_doctor_and_leaves(user, eval_id)
    assert commands.every_command() - ELSEWHERE - user.ran == set(), "these were not run"


def signs_in(user: Worker) -> None:
    refused = user.run("list", code=2)
    assert "say which Stillhouse: `stillhouse login URL`" in re.sub(r"[\s│]+", " ", refused.stderr)
    wrong = user.run("login", user.stack.api_url, "--key-stdin", types="sk-sh-none-0\n", code=1)
    assert wrong.stderr.startswith("error: 401: ")
    kept = user.lines("login", user.stack.api_url, "--key-stdin", types=f"{user.stack.api_key}\n")
    assert kept == [f"kept in {user.folder}/stillhouse/login.json, readable by you alone"]


def pushes_and_looks_at_completions(user: Worker) -> None:
    rows = [row(user.tag, number) for number in range(42)]
    file = user.file("rows.jsonl", "\n".join(map(json.dumps, rows)))
    assert user.lines("push", file, "--reference", "reference", "--strict")[0] == "read 42, imported 42"
    assert user.lines("push", file, "--reference", "reference")[0] == "read 42, imported 42", (
        "a push that is repeated is the same push"
    )
    wait(lambda: len(user.lines("list", "--tag", user.tag, "--limit", "100")) == 42)
    [newest] = user.lines("list", "--tag", user.tag, "--limit", "1")
    completion_id = newest.split("  ")[0]
    assert user.lines("search", f"mail 41 of {user.tag}")[0] == newest
    shown = user.lines("show", completion_id)
    assert shown[0] == "  ".join(newest.split("  ")[:3])
    assert "[answer, stop]" in shown
    assert user.lines("export", "--tag", user.tag, "-o", "out.jsonl") == ["42 completions in out.jsonl"]
    assert len((user.folder / "out.jsonl").read_text().splitlines()) == 42
    assert user.lines("usage", "--tag", user.tag, "--by", "metadata.split")[0].startswith("test  12 completions, 0 ")


def makes_an_eval(user: Worker) -> str:
    file = user.file("eval.json", {"name": "triage", "testing_criteria": [CRITERION]})
    gone = user.said("eval", "create", file)["id"]
    assert user.lines("eval", "delete", gone) == [f"deleted: {gone}"]
    [made] = user.lines("eval", "create", file, "--name", f"triage {user.tag}")
    assert made.endswith(f"  triage {user.tag}: right queue")
    eval_id = made.split("  ")[0]
    assert made in user.lines("eval", "list")
    assert user.lines("eval", "show", eval_id)[1].startswith("  right queue (string_check): input={{ sample.")
    return eval_id


def starts_a_distillation(user: Worker, eval_id: str) -> str:
    """Twelve rows are too few to see a gain, which the gate says before anything is paid for."""
    words = ["distill", "--eval", eval_id, "--teacher", TEACHER, "--student", "lab-small", "--no-wait"]
    words += ["--train-tag", user.tag, "--train-tag", "split=train", "--test-tag", user.tag, "--test-tag", "split=test"]
    [begun] = user.lines(*words)
    distillation_id, status = begun.split("  ")[:2]
    assert status == "queued"
    return distillation_id


def grades(user: Worker, eval_id: str) -> None:
    test = ("--tag", user.tag, "--tag", "split=test")
    stored = user.lines("run", "create", eval_id, *test)
    run_id = stored[0].split("  ")[0]
    assert stored[1].startswith("  100.0% of 12 rows pass (")
    anew_id = user.said("run", "create", eval_id, *test, "--model", "lab-small", "--no-wait")["id"]
    assert user.run("watch", anew_id).stderr.splitlines()[-1] == f"{anew_id}: completed"
    assert {line.split("  ")[0] for line in user.lines("run", "list", eval_id)} >= {run_id, anew_id}
    assert user.lines("run", "show", run_id) == stored
    assert len(user.lines("run", "rows", run_id)) == 12
    assert user.lines("run", "rows", run_id, "--failed") == []
    assert user.lines("compare", run_id, anew_id)[3].endswith(" lost, 12 in both")
    canceled = cancels_a_run(user, eval_id)
    assert user.lines("watch", canceled, code=FAILED) == [f"{canceled}: canceled"]


def cancels_a_run(user: Worker, eval_id: str) -> str:
    """A run that was canceled before it had ended; one that was faster is not the last."""
    while True:
        run_id = user.said("run", "create", eval_id, "--tag", user.tag, "--model", "lab-large", "--no-wait")["id"]
        ended = CliRunner().invoke(cli.app, ["run", "cancel", run_id])
        if "This run is over" not in ended.output:
            assert user.said("run", "show", run_id)["status"] == "canceled"
            assert ended.stdout.split("  ")[1] == "canceled"
            user.ran.add(("run", "cancel"))
            return run_id


def approves(user: Worker, distillation_id: str) -> None:
    blocked = user.lines("watch", distillation_id, code=BLOCKED)
    assert blocked[-1] == f"  go on with it: stillhouse distillation approve {distillation_id}"
    assert user.lines("distillation", "show", distillation_id) == blocked
    assert blocked[0] in user.lines("distillation", "list")
    begun = user.lines("distillation", "approve", distillation_id, "--no-wait")
    assert f"  go on with it: stillhouse distillation approve {distillation_id}" not in begun


def keeps_keys(user: Worker) -> None:
    made = user.run("key", "create", "of a colleague", "--scope", "read")
    key_id = made.stderr.partition(":")[0]
    assert re.fullmatch(r"sk-sh-\w+-\w+\n", made.stdout)
    assert f"{key_id}  of a colleague  read" in user.lines("key", "list")
    assert user.lines("key", "revoke", key_id) == [f"revoked: {key_id}"]
    assert f"{key_id}  of a colleague  read  revoked" in user.lines("key", "list")


def asks_providers(user: Worker) -> None:
    name = f"lab-{user.tag[-6:]}"
    # It lists no model: one that an alias of another test names would be needed, and could not be removed.
    words = ["--base-url", user.stack.lab_url, "--key-env", "LAB_KEY"]
    assert user.lines("provider", "add", name, *words)[0] == f"id: {name}"
    assert any(name in line for line in user.lines("provider", "list"))
    assert f"base_url: {user.stack.lab_url}" in user.lines("provider", "show", name)
    assert user.lines("provider", "test", name, "--model", "lab-large")[0].startswith("ok: ")
    assert user.run("provider", "webhooks", name, code=1).stderr == "error: give --secret-env or --none\n"
    assert f"id: {name}" in user.lines("provider", "webhooks", name, "--none")
    assert user.lines("provider", "remove", name) == [f"removed: {name}"]


def tells_channels(user: Worker) -> None:
    taken: list[str] = []
    with serving(chat(taken)) as url:
        [made] = user.lines("channel", "add", "the team", "--event", "distillation.verdict", types=f"{url}/hook\n")
        channel_id = made.split("  ")[0]
        assert made.split("  ")[1:3] == ["slack", "the team"]
        assert made in user.lines("channel", "list")
        unknown = user.run("channel", "events", channel_id, "--event", "verdict", code=1)
        assert "distillation.verdict" in unknown.stderr, "who writes an event wrong is told which there are"
        [changed] = user.lines("channel", "events", channel_id, "--event", "alias.promoted")
        assert changed.endswith("  alias.promoted")
        [sent] = user.lines("channel", "test", channel_id)
        assert sent.endswith(f"; see: stillhouse channel deliveries {channel_id}")
        wait(lambda: "  delivered (1 attempt)" in "".join(user.lines("channel", "deliveries", channel_id)))
        assert len(taken) == 1
        assert user.lines("channel", "remove", channel_id) == [f"removed: {channel_id}"]


def counts_costs(user: Worker) -> None:
    before = user.said("costs", "show")
    assert "  cap $5000.00, left " in "\n".join(user.lines("costs", "cap", "5000"))
    assert user.lines("costs", "retire-lost", "90")[-1] == "models that lost are retired after 90 days"
    assert user.lines("costs", "retire-lost")[-1] == "models that lost are kept"
    assert "cap" not in "\n".join(user.lines("costs", "cap"))
    assert before["spending"]["monthly_cap_usd"] is None, "another test of the stack has set a cap"


def imports(user: Worker, eval_id: str) -> None:
    """Each importer, from this very stack where it can be: it has OpenAI's API."""
    said = {"role": "user", "content": f"imported, {user.tag}"}
    one = {"messages": [said, {"role": "assistant", "content": "yes"}]}
    assert user.lines("import", "jsonl", user.file("one.jsonl", one), "--model", "gpt-4o")[0] == "read 1, imported 1"
    generation = {"id": user.tag, "type": "GENERATION", "startTime": "2026-05-29T13:46:19.500Z", "model": "gpt-4o"}
    generation |= {"input": [said], "output": {"role": "assistant", "content": "yes"}}
    assert user.lines("import", "langfuse", user.file("langfuse.jsonl", generation))[0] == "read 1, imported 1"
    inference = {"function_name": "f", "variant_name": "v", "inference_id": str(uuid.uuid4())}
    inference |= {"input": {"messages": [said]}, "output": [{"type": "text", "text": "yes"}]}
    inference |= {"timestamp": "2026-03-11T00:38:02Z", "tags": {}}
    assert user.lines("import", "tensorzero", user.file("tensorzero.jsonl", inference))[0] == "read 1, imported 1"
    assert user.lines("import", "bedrock", user.file("log.json", invocation(user.tag)))[0] == "read 1, imported 1"
    own, there = ("--metadata", user.tag, "--metadata"), user.stack.api_url
    assert user.lines("import", "openai", "--base-url", there, *own, "few=first")[0] == "read 2, imported 2"
    with serving(azure(user.stack)) as url:
        assert user.lines("import", "azure", "--endpoint", url, *own, "few=last")[0] == "read 2, imported 2"
    exported = user.file("eval_export.json", {**user.said("eval", "show", eval_id), "name": f"moved {user.tag}"})
    assert user.lines("import", "openai-evals", "--from", exported)[0] == "imported 1 eval, 0 runs, 0 rows"
    config = {"prompts": ["Say {{word}}"], "providers": ["openai:chat:lab-small"]}
    config |= {
        "tests": [{"vars": {"word": user.tag}, "assert": [{"type": "equals", "value": "yes", "metric": user.tag}]}]
    }
    config_file = user.file("promptfooconfig.yaml", config)
    assert user.lines("import", "promptfoo", config_file)[0] == "imported 1 eval, 0 runs, 1 row"


def reads_the_verdict(user: Worker, eval_id: str, distillation_id: str) -> None:
    ended = user.lines("watch", distillation_id)
    assert ended[0].split("  ")[1] == "completed"
    verdict = user.said("distillation", "show", distillation_id)["verdict"]
    told = user.lines("verdict", verdict["id"])
    assert told[0] == verdict["sentence"] == ended[1].strip()
    assert told[-1].startswith("http")
    assert user.lines("verdict", distillation_id, "--recompute")[-1] == "computed anew, it is the same"
    assert user.lines("report", distillation_id, "--out", "verdict.html") == ["verdict.html"]
    assert (user.folder / "verdict.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    tree = user.lines("lineage", verdict["id"])
    assert tree[0] == "came from"
    assert any(line.startswith("  dataset  dataset_") for line in tree)
    assert any(line.startswith(f"{eval_id}  1 attempts") for line in user.lines("experiments"))
    assert user.lines("experiments", eval_id)[0].startswith(f"{distillation_id}  {verdict['outcome']}  ")
    model = user.said("distillation", "show", distillation_id)["model"]
    assert any(line.startswith(f"{model}  answers  base lab-small  job ftjob-") for line in user.lines("model", "list"))
    assert f"id: {model}" in user.lines("model", "show", model)
    assert f"id: {model}" in user.lines("model", "keep", model)
    assert any(line.startswith(f"{model}  nothing, ") for line in user.lines("model", "idle"))
    job_id = user.said("model", "show", model)["job_id"]
    assert any(line.startswith(f"{job_id}  succeeded  ") for line in user.lines("job", "list"))
    assert f"fine_tuned_model: {model}" in user.lines("job", "show", job_id)
    assert len(user.lines("job", "events", job_id)) >= 2
    own = f"own-{user.tag[-6:]}"
    assert f"id: {own}" in user.lines("model", "add", own, "--base", "lab-small", "--url", user.stack.lab_url)
    assert user.lines("model", "retire", own) == [f"retired: {own}"]
    [server] = [provider["id"] for provider in user.said("provider", "list") if own in provider["models"]]
    user.run("provider", "remove", server)


def repeats_and_cancels(user: Worker, distillation_id: str) -> None:
    """The trainer `file` waits for a person, so that its job is open when it is canceled."""
    [begun] = user.lines("distillation", "repeat", distillation_id, "--trainer", "file", "--no-wait")
    again = begun.split("  ")[0]
    user.run("distillation", "cancel", again)
    assert user.lines("watch", again, code=FAILED)[0].split("  ")[1] == "cancelled"
    examples = [{"messages": row(user.tag, number)["request"]["messages"] + [ANSWER]} for number in range(10)]
    file = ("examples.jsonl", "\n".join(map(json.dumps, examples)).encode())
    training = client(user.stack).files.create(file=file, purpose="fine-tune").id
    job = client(user.stack).fine_tuning.jobs.create(
        model="lab-small", training_file=training, extra_body={"trainer": "file"}
    )
    assert any(line.startswith(f"{job.id}  ") for line in user.lines("job", "list"))
    assert f"id: {job.id}" in user.lines("job", "cancel", job.id)
    assert user.lines("watch", job.id, code=FAILED) == [f"{job.id}: cancelled"]


def points_aliases(user: Worker) -> None:
    name = f"reply-{user.tag[-6:]}"
    set_ = user.lines("alias", "set", name, "lab-large", "--why", "to begin with")
    assert set_[0].startswith(f"{name}@1  by ")
    assert "  lab-small 5%" in user.lines("alias", "set", name, "lab-large=95", "lab-small=5")
    assert f"{name}@2  lab-large 95%, lab-small 5%  fallback -" in user.lines("alias", "list")
    assert user.lines("alias", "show", name)[1:3] == ["  lab-large 95%", "  lab-small 5%"]
    assert "  lab-large 100%" in user.lines("alias", "rollback", name)
    assert user.lines("alias", "drift", name)[0].startswith("unwatched: Nothing is watched")
    assert user.lines("alias", "drift", name, "--leave-out", "release")[-1] == "left out: release"
    assert [line[0] for line in user.lines("alias", "versions", name)] == ["3", "2", "1"]
    assert user.lines("alias", "delete", name) == [f"deleted: {name}"]


def asks_the_doctor_and_leaves(user: Worker, eval_id: str) -> None:
    findings = user.said("doctor", "--ask-providers", code=0)
    assert {finding["check"] for finding in findings} >= {"address", "clock", "queues", "open work", "provider default"}
    assert user.run("doctor", "--redrive", "none", code=1).stderr.startswith("error: ")
    user.run("eval", "delete", eval_id)
    assert user.lines("logout") == ["forgotten"]
    user.run("list", code=2)


def wait(until: Callable[[], bool]) -> None:
    """Ask until it is so, for half a minute at most."""
    ends = time.monotonic() + 30
    while not until():
        assert time.monotonic() < ends, "it has not come about"
        time.sleep(0.1)
