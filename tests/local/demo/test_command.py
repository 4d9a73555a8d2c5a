import io
import json
from types import SimpleNamespace

import httpx2
import pytest
from rich.console import Console

from local.demo import at_aws, command
from local.demo.plan import Options
from local.stack import control
from local.stack.errors import StackError


@pytest.fixture
def run(fake, tmp_path, make_row, monkeypatch):
    rows = [make_row(f"t{number}", "train", answers={"big": "yes"}) for number in range(60)]
    rows += [make_row(f"x{number}", "test", answers={"big": "yes"}) for number in range(5)]
    data = tmp_path / "rows.jsonl"
    data.write_text("\n".join(row.model_dump_json() for row in rows), "utf-8")
    info = SimpleNamespace(
        api_url="http://stack/v1",
        gateway_url="http://stack/v1",
        api_key="sk-sh-test",
        lab_url="http://lab/v1",
        fakes_url="http://fakes",
        pages_url="http://pages",
        endpoint_url="http://aws",
        notifications=str(fake.notifications),
    )
    up, stops = [], []
    monkeypatch.setattr(control, "running", lambda: up[0] if up else None)
    monkeypatch.setattr(control, "ensure_up", lambda _report: info)
    monkeypatch.setattr(control, "down", lambda: stops.append(1))
    monkeypatch.setattr(command, "OpenAI", lambda **_: fake.client())
    monkeypatch.setattr(command, "Lab", lambda _url: fake.lab())

    def run(**options):
        console = Console(file=io.StringIO(), width=160)
        settings = {"data": data, "teacher": "big", "json_out": tmp_path / "out.json", **options}
        code = command.run(Options(**settings), console)
        out = tmp_path / "out.json"
        result = json.loads(out.read_text("utf-8")) if out.exists() else None
        return SimpleNamespace(code=code, text=console.file.getvalue(), out=result, stops=len(stops))

    run.up = up
    return run


def test_the_whole_loop_ends_with_a_verdict_and_all_evidence(run, fake):
    ended = run()
    assert ended.code == 0
    assert ended.out["verdict"]["outcome"] == "inconclusive"
    assert ended.out["notification"]["id"] == "verdict_1"
    assert ended.out["dataset"] == {
        "id": "dataset_1",
        "rows": 3,
        "dropped": {"duplicates": 1, "test_leaks": 1},
    }
    # The first completion was dropped on the way, so the second one's lineage is shown.
    assert fake.questions[ended.out["lineage"]["id"]] == "t1"
    assert {"recordings", "answers", "push", "gateway", "recording", "training", "total"} <= set(ended.out["seconds"])
    assert "Five rows cannot tell [them] apart." in ended.text
    assert "0.0312" in ended.text
    for following in ("make local-up", ".venv/bin/python examples/first_distillation.py", ".venv/bin/stillhouse demo"):
        assert following in ended.text


def test_every_row_is_captured_once_a_few_of_them_through_the_gateway(run, fake):
    run()
    assert len(fake.stored) == command.GATEWAY_ROWS
    texts = [record["request"]["messages"][0]["content"] for record in fake.captured]
    assert len(texts) == len(set(texts)) == 65 - command.GATEWAY_ROWS
    assert {f"x{number}" for number in range(5)} <= set(texts)
    assert len({record["metadata"]["demo"] for record in fake.captured}) == 1


def test_blocked_and_not_approved_exits_with_three_and_the_figures_so_far(run):
    ended = run(approve=False)
    assert ended.code == 3
    assert ended.out["teacher"]["passed"] == 4
    assert ended.out["verdict"] is None
    assert ended.out["distilled"] is None
    assert ended.out["notification"]["id"] == "distill_1"
    assert "blocked: too few rows" in ended.text


def test_a_failed_distillation_is_an_error_with_its_reason(run, fake):
    fake.states = ["queued", "measuring", "failed"]
    ended = run()
    assert ended.code == 1
    assert "error: the distillation failed: the trainer said no" in ended.text


def test_a_cancelled_distillation_waits_for_no_notification(run, fake):
    fake.states = ["queued", "cancelled"]
    assert run().code == 1


def test_bad_input_is_one_line_and_starts_nothing(run, fake, tmp_path):
    (tmp_path / "bad.jsonl").write_text("{}", "utf-8")
    ended = run(data=tmp_path / "bad.jsonl")
    assert ended.code == 1
    assert ended.text == "error: bad.jsonl line 1: messages: Field required\n"
    assert fake.calls == []


def test_an_api_error_is_one_line(run, fake, monkeypatch):
    monkeypatch.setattr(fake, "_capture", lambda _body: 1 / 0)
    monkeypatch.setattr(fake, "_answer", lambda *_: (403, {"error": {"message": "this key may not", "code": "scope"}}))
    ended = run()
    assert ended.code == 1
    assert ended.text.splitlines()[-1].startswith("error: the lab answered 403 at /lab/recordings: this key may not")


def test_a_stack_that_the_demo_started_is_stopped_and_any_other_left_alone(run):
    assert run().stops == 1
    run.up.append("running")
    assert run().stops == 1


def test_a_stack_is_kept_where_asked(run):
    assert run(keep=True).stops == 0


def test_a_stack_that_does_not_start_is_one_line(run, monkeypatch):
    def broken(_report):
        raise StackError("no sam on this machine")

    monkeypatch.setattr(control, "ensure_up", broken)
    ended = run()
    assert ended.code == 1
    assert ended.text.splitlines()[-1] == "error: no sam on this machine"


def test_a_trainer_of_aws_gets_its_base_and_its_provider_before_the_loop(run, fake, monkeypatch):
    monkeypatch.setattr(at_aws, "_SEEN_AFTER_S", 0.01)
    monkeypatch.setattr(httpx2, "post", lambda url, **_: httpx2.Response(200, request=httpx2.Request("POST", url)))
    ended = run(trainer="bedrock")
    assert ended.code == 0
    [started] = [body for method, path, body in fake.calls if (method, path) == ("POST", "/v1/distillations")]
    assert (started["trainer"], started["student"]) == ("bedrock", "bedrock/amazon.nova-micro-v1:0")
    assert "amazon.nova-micro-v1:0 is lab-small of the lab here." in ended.text


def test_a_trainer_that_the_demo_does_not_know_starts_nothing(run, fake):
    assert run(trainer="moon").code == 1
    assert fake.calls == []
