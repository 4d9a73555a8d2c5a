import os
from dataclasses import replace

import pytest

from local.stack import control, supervisor
from local.stack.info import write_info
from local.stack.layout import Layout
from local.stack.lock import held
from tests.local.stack.build import INFO


def test_without_a_supervisor_nothing_runs_whatever_the_file_says(tmp_path):
    layout = Layout(tmp_path)
    assert control.running(layout) is None
    assert not control.down(layout)
    write_info(layout.info, INFO)
    assert control.running(layout) is None


def test_a_stack_that_does_not_answer_is_not_running(tmp_path):
    layout = Layout(tmp_path)
    write_info(layout.info, replace(INFO, pid=os.getpid()))
    with held(layout.supervisor):
        assert control.running(layout) is None


@pytest.mark.parametrize(("written", "stopped"), [('{"api_url": "only"}', [True]), (None, [])])
def test_a_stack_of_another_version_is_stopped_before_the_start(tmp_path, monkeypatch, written, stopped):
    """Its file lacks what was added since, so that nothing is known of it but that it is up."""
    layout = Layout(tmp_path)
    stops = []
    monkeypatch.setattr(control, "down", lambda _: stops.append(True))
    monkeypatch.setattr(control, "_started", lambda *_: INFO)
    layout.local.mkdir()
    if written:
        layout.info.write_text(written)
    with held(layout.supervisor):
        assert control.ensure_up(lambda _: None, layout) == INFO
    assert stops == stopped


def test_addresses_take_the_form_that_needs_no_host_name():
    endpoint = "http://127.0.0.1:4566"
    assert (
        supervisor._local_api("https://a1b2.execute-api.us-east-1.amazonaws.com/v1", endpoint)
        == f"{endpoint}/_aws/execute-api/a1b2/$default/v1"
    )
    assert (
        supervisor._local_function("https://xyz.lambda-url.us-east-1.on.aws/v1", endpoint)
        == f"{endpoint}/_aws/lambda-url/xyz/v1"
    )


def test_a_start_keeps_the_latest_code_of_services_and_sandbox_only(tmp_path):
    layout = Layout(tmp_path)
    for age, name in enumerate(("services", "sandbox", "older", "oldest")):
        (layout.code / name).mkdir(parents=True)
        os.utime(layout.code / name, (1000 - age, 1000 - age))
    supervisor._forget_old_code(layout)
    assert {entry.name for entry in layout.code.iterdir()} == {"services", "sandbox"}


def test_a_reset_forgets_what_was_kept_and_nothing_else(tmp_path):
    layout = Layout(tmp_path)
    for path in (layout.ports, layout.lab_state / "lessons" / "a", layout.built / "template.yaml"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    layout.notifications.write_text("{}")
    control.reset(layout)
    assert not layout.state.exists()
    assert not layout.notifications.exists()
    assert (layout.built / "template.yaml").exists()


def test_the_folder_of_what_is_kept_can_be_named(tmp_path, monkeypatch):
    assert Layout(tmp_path).state == tmp_path / ".local" / "state"
    monkeypatch.setenv("STILLHOUSE_STATE", str(tmp_path / "elsewhere"))
    assert Layout(tmp_path).state == tmp_path / "elsewhere"
