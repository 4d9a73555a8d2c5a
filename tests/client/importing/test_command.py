import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from stillhouse import cli
from tests.client.importing.build import written

EXAMPLE = {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]}


@pytest.fixture
def home(monkeypatch, tmp_path, stillhouse_url):
    for name in ("OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_API_VERSION", "AZURE_OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("STILLHOUSE_BASE_URL", stillhouse_url)
    monkeypatch.setenv("STILLHOUSE_API_KEY", "sk-sh-test")
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(cli.app, ["import", *map(str, arguments)])


def test_the_counts_are_printed_and_no_state_is_left(home, stillhouse):
    path = written(home / "x.jsonl", EXAMPLE, {"prompt": 1}, {"messages": []})
    result = run("jsonl", path, "--model", "m")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[:4] == [
        "read 3, imported 1",
        "2 without a chat shape",
        "  1 neither request and response nor messages",
        "  1 messages are missing",
    ]
    [refused] = (home / "state" / "stillhouse" / "imports").iterdir()
    assert refused.name.startswith("jsonl-")
    assert refused.name.endswith(".refused.jsonl")
    assert refused.stat().st_mode & 0o077 == 0
    assert result.stdout.splitlines()[4] == f"which ones: {refused}"
    assert [record["origin"] for record in stillhouse.records] == ["jsonl"]


@pytest.mark.parametrize(("rows", "code"), [([EXAMPLE], 0), ([EXAMPLE, {"prompt": 1}], 1)])
def test_strict_makes_it_the_exit_code(home, rows, code):
    assert run("jsonl", written(home / "x.jsonl", *rows), "--model", "m", "--strict").exit_code == code


@pytest.mark.parametrize("source", ["langfuse", "tensorzero", "bedrock"])
def test_every_source_of_files_is_reached(home, stillhouse, source):
    rows = {
        "langfuse": {"type": "GENERATION", "id": "a", "model": "m", "input": "hi", "output": "hello"},
        "tensorzero": {
            "function_name": "f",
            "id": "01957bbb-be63-7f53-809e-a4b9d21a2b36",
            "input": {"messages": [{"role": "user", "content": "hi"}]},
            "output": [{"type": "text", "text": "hello"}],
        },
        "bedrock": {
            "schemaType": "ModelInvocationLog",
            "modelId": "m",
            "requestId": "a",
            "input": {"inputBodyJson": {"messages": [{"role": "user", "content": [{"text": "hi"}]}]}},
            "output": {
                "outputBodyJson": {
                    "output": {"message": {"role": "assistant", "content": [{"text": "hello"}]}},
                    "stopReason": "end_turn",
                }
            },
        },
    }
    result = run(source, written(home / "in" / "x.json", rows[source]), "--state", home / "s.json")
    assert result.stdout == "read 1, imported 1\n"
    [record] = stillhouse.records
    assert record["origin"] == source
    assert record["request"]["messages"] == [{"role": "user", "content": "hi"}]
    assert record["response"]["choices"][0]["message"]["content"] == "hello"


def test_openai_and_azure_are_asked_with_their_own_keys(home, monkeypatch, stillhouse, stillhouse_url):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-sh-test")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "sk-sh-test")
    assert home
    result = run("openai", "--base-url", stillhouse_url, "--model", "m", "--metadata", "a=b=c", "--metadata", "d=e")
    assert (result.exit_code, result.stdout) == (0, "read 0, imported 0\n")
    [(method, path)] = stillhouse.other
    assert method == "GET"
    assert "model=m" in path
    assert "metadata%5Ba%5D=b%3Dc&metadata%5Bd%5D=e" in path
    monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
    assert run("azure", "--endpoint", stillhouse_url.removesuffix("/v1")).exit_code == 0
    assert stillhouse.other[1][1].startswith("/openai/v1/chat/completions?")
    monkeypatch.delenv("AZURE_OPENAI_API_KEY")
    assert "AZURE_OPENAI_API_KEY" in run("azure", "--endpoint", stillhouse_url).stderr
    assert len(stillhouse.other) == 2, "the key of one is not shown to the other"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("jsonl", "nothing.jsonl"), "nothing.jsonl does not exist"),
        (("openai",), "OPENAI_API_KEY"),
        (("openai", "--metadata", "a"), "--metadata takes KEY=VALUE"),
        (("jsonl", __file__, "--state", "/proc/x.json", "--model", "m"), "/proc/x.json"),
        (("azure", "--endpoint", "https://x.test"), "AZURE_OPENAI_API_KEY"),
    ],
)
@pytest.mark.usefixtures("home")
def test_what_is_missing_is_said_in_one_line(arguments, sentence):
    result = run(*arguments)
    assert result.exit_code == 1
    last = result.stderr.splitlines()[-1]
    assert last.startswith("error: ")
    assert sentence in last


def test_without_a_key_or_a_url_nothing_is_read(home, monkeypatch):
    path = written(home / "x.jsonl", EXAMPLE)
    monkeypatch.delenv("STILLHOUSE_API_KEY")
    assert "STILLHOUSE_API_KEY is not set" in run("jsonl", path).stderr
    monkeypatch.delenv("STILLHOUSE_BASE_URL")
    assert run("jsonl", path).exit_code == 2


def test_from_a_bucket_without_a_bucket(home, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert home
    with mock_aws():
        boto3.client("s3").create_bucket(Bucket="invocations")
        assert run("bedrock", "s3://invocations/x").stdout == "read 0, imported 0\n"
        assert "NoSuchBucket" in run("bedrock", "s3://other/x").stderr


def test_a_killed_process_is_followed_by_one_that_goes_on(home, stillhouse, stillhouse_url, monkeypatch, fresh):
    answer = EXAMPLE["messages"][1]
    rows = [{"messages": [{"role": "user", "content": str(number)}, answer]} for number in range(1000)]
    path = written(home / "x.jsonl", *rows)
    where = {"STILLHOUSE_BASE_URL": stillhouse_url, "STILLHOUSE_API_KEY": "sk-sh-test"}
    words = ["stillhouse.cli", "import", "jsonl", str(path), "--model", "m", "--state", str(home / "s.json")]
    reached, killed = threading.Event(), threading.Event()
    taking = stillhouse.answer

    def answer(*request):
        if len(stillhouse.pushes) == 2:
            reached.set()
            killed.wait(10)
        return taking(*request)

    monkeypatch.setattr(stillhouse, "answer", answer)
    process = fresh.begin(*words, **where)
    assert reached.wait(30)
    os.kill(process, signal.SIGKILL)
    killed.set()
    assert fresh.end().status == -signal.SIGKILL
    assert (home / "s.json").exists()
    assert fresh.ran(*words, **where).status == 0
    assert not (home / "s.json").exists()
    contents = [record["request"]["messages"][0]["content"] for record in stillhouse.records]
    assert set(contents) == {str(number) for number in range(1000)}
    assert len(contents) == 1000 + 300, "the batch that was taken but not yet remembered comes again"


def test_help_does_not_load_the_sdk():
    start = "import sys; from stillhouse import cli; sys.exit('openai' in sys.modules)"
    client = str(Path(cli.__file__).parents[1])
    subprocess.run([sys.executable, "-c", start], env={**os.environ, "PYTHONPATH": client}, check=True)
