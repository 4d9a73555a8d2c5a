"""`stillhouse dataset` against the API in process: what is asked, what a person reads, and how it ends."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote, urlsplit

import pytest
from typer.testing import CliRunner

from evals.files import File
from foundation import blobs
from stillhouse import asking, cli
from stillhouse.dataset import command
from stillhouse.importing.stopped import Stopped
from tests.distilling import build

MADE = {"role": "assistant", "content": "yes"}


@pytest.fixture
def dataset(system, monkeypatch):
    """Twenty mails, one twice, one a test row; and the command, whose requests go to the API."""
    records = [build.record(100 + n, f"mail {n}", split="train") for n in range(20)]
    build.captured(system, [*records, build.record(1, "mail 7"), build.record(200, "mail 3", split="train")])

    def called(method, path, body=None):
        status, answer = system.call(method, f"/v1{path}", body)
        if status >= 400:
            raise Stopped(f"{status}: {answer['error']['message']}")
        return answer

    def fetched(_, path):
        answer = called("GET", path)
        link = {name.lower(): value for name, value in system.headers.items()}.get("location")
        if link:
            return blobs.get("datasets/" + unquote(urlsplit(link).path).partition("/datasets/")[2])
        return (
            answer
            if isinstance(answer, bytes)
            else (answer if isinstance(answer, str) else json.dumps(answer)).encode()
        )

    monkeypatch.setattr(asking, "asked", lambda _, *about: called(*about))
    monkeypatch.setattr(asking, "fetched", fetched)
    monkeypatch.setattr(command.time, "sleep", lambda _: system.deliver("ASSEMBLY"))
    monkeypatch.setenv("STILLHOUSE_BASE_URL", "https://x/v1")
    return system


def run(*arguments):
    return CliRunner().invoke(cli.app, ["dataset", *arguments])


@pytest.mark.usefixtures("dataset")
def test_one_is_made_and_looked_into_and_exported_and_deleted(tmp_path):
    made = run("create", "--tag", "split=train", "--held-out-tag", "split=test")
    assert made.exit_code == 0, made.output
    name = made.stdout.partition(":")[0]
    assert "21 completions" in made.stdout
    assert "  1 dropped by test_leaks" in made.stdout.splitlines()
    assert made.stderr.startswith(f"{name}: queued\n{name}: ready after")
    assert f"{name}  ready  19 of 21 completions" in run("list").stdout
    [leak] = run("rows", name, "--rule", "test_leaks").stdout.splitlines()
    assert leak == "chatcmpl-107  dropped  test_leaks: It asks what a test row asks. (chatcmpl-1)"
    assert len(run("rows", name, "--json", "--limit", "5").stdout.splitlines()) == 5
    assert json.loads(run("report", name, "--json").stdout)["id"]
    assert "#" in run("report", name).stdout
    written = tmp_path / "train.jsonl"
    exported = run("export", name, "-o", str(written))
    lines = len(written.read_bytes().splitlines())
    assert lines > 10
    assert exported.stdout == f"{lines} lines in {written}\n"
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps({"steps": []}))
    other = json.loads(run("create", "--tag", "split=train", "--recipe", str(recipe), "--json").stdout)
    compared = run("diff", name, other["id"]).stdout.splitlines()
    assert compared[0].endswith("otherwise, 0 in the first alone, 0 in the other alone")
    assert any("dropped by test_leaks" in line for line in compared)
    assert "This dataset is over: ready." in run("cancel", name).output
    assert run("delete", name).stdout == f"deleted: {name}\n"
    begun = run("create", "--tag", "split=train", "--no-wait").stdout.partition(":")[0]
    assert run("cancel", begun).stdout == f"canceled: {begun}\n"
    assert run("rows", name).exit_code == 1


@pytest.mark.usefixtures("dataset")
def test_examples_are_taken_from_files():
    rows = [{"messages": [{"role": "user", "content": f"letter {n}"}, MADE]} for n in range(3)]
    body = "\n".join(map(json.dumps, rows)).encode()
    blobs.put("files/file-1", body)
    about = {"filename": "x.jsonl", "purpose": "fine-tune", "key": "files/file-1"}
    File(id="file-1", created_at=build.AT, bytes=len(body), **about).create()
    made = json.loads(run("create", "--file", "file-1", "--file-model", "gpt-4o", "--json").stdout)
    assert made["source"] == [{"type": "file_id", "id": "file-1", "model": "gpt-4o"}]
    assert "file-1:000002  train line 2" in run("rows", made["id"]).stdout.splitlines()


def test_one_that_cannot_be_made_ends_with_a_code_of_its_own(dataset, monkeypatch):
    from assembly.make import give_up

    def broken(_):
        listed = dataset.ok("GET", "/v1/datasets")["data"]
        give_up(listed[0]["id"], "it was tried")

    monkeypatch.setattr(command.time, "sleep", broken)
    ended = run("create", "--tag", "split=train")
    assert (ended.exit_code, "it was tried" in ended.stdout) == (3, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["create"], "say which completions: --model, --tag key=value, --filter or --file"),
        (["create", "--tag", "split=train", "--file-model", "gpt-4o"], "name them with --file"),
        (["create", "--file", "file-none"], "404"),
        (["create", "--tag", "split"], "'split' is no tag: write key=value"),
        (["create", "--tag", "split=none"], "selects no stored completion"),
        (["rows", "dataset_none"], "404"),
    ],
)
@pytest.mark.usefixtures("dataset")
def test_what_is_refused_is_said_in_one_line_with_the_remedy(arguments, said):
    ended = run(*arguments)
    assert ended.exit_code == 1
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


class Linking(BaseHTTPRequestHandler):
    """Gives a link to where a file lies, and refuses whatever is called otherwise."""

    def do_GET(self):
        status, headers, body = {
            "/v1/content": (307, {"location": f"http://localhost:{self.server.server_port}/file"}, b""),
            "/file": (200, {}, b"one\ntwo\n"),
        }.get(self.path, (404, {"content-type": "application/json"}, b'{"error": {"message": "No such dataset."}}'))
        if self.path == "/file" and "authorization" in self.headers:
            status = 400
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Write nothing."""


def test_what_lies_behind_a_link_is_fetched_without_the_key(monkeypatch):
    monkeypatch.setenv("STILLHOUSE_API_KEY", "sk-sh-1")
    with ThreadingHTTPServer(("localhost", 0), Linking) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            url = f"http://127.0.0.1:{server.server_port}/v1"
            assert asking.fetched(url, "/content") == b"one\ntwo\n"
            with pytest.raises(Stopped, match="404: No such dataset"):
                asking.fetched(url, "/none")
        finally:
            server.shutdown()


@pytest.mark.usefixtures("dataset")
def test_test_rows_by_a_tag_and_in_a_file_are_refused_together():
    refused = run("create", "--tag", "split=train", "--held-out-tag", "split=test", "--held-out-file", "file-1")
    assert refused.exit_code == 1
    assert "give --held-out-tag or --held-out-file, not both" in refused.output


@pytest.mark.usefixtures("dataset")
def test_one_that_is_graded_is_waited_for_until_it_is_made(monkeypatch):
    states = iter(["grading", "making", "ready"])
    told = {"id": "dataset_1", "error": None, "card": None}
    monkeypatch.setattr(asking, "asked", lambda *_: {**told, "status": next(states)})
    made = run("create", "--tag", "split=train")
    assert made.exit_code == 0, made.output
    assert made.stdout == "dataset_1: ready\n"
    assert made.stderr.startswith("dataset_1: grading\ndataset_1: making\ndataset_1: ready after")
