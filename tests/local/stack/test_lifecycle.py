"""One real stack, in a checkout of its own beside whatever runs in this one: started, used, interrupted."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from local.stack import aws, control, deploy
from local.stack.info import read_info
from local.stack.layout import Layout
from local.stack.lock import held
from tests.local.stack.build import eventually

pytestmark = [pytest.mark.stack, pytest.mark.soak(alone=True)]

CHECKOUT = Layout.of_checkout()
LINKED = (
    ".venv",
    ".venv-emulator",
    ".venv-sam",
    "infra",
    "local",
    "samconfig.toml",
    "sandbox",
    "services",
    "template.yaml",
    "uv.lock",
)


@pytest.fixture
def layout(tmp_path, monkeypatch):
    """This checkout under another name, with the same build, and with a state, and so with ports, of its own."""
    monkeypatch.setenv("STILLHOUSE_STATE", str(tmp_path / "state"))
    with held(CHECKOUT.local / "up.lock", wait=True):
        deploy.build(CHECKOUT, print)
    for name in LINKED:
        (tmp_path / name).symlink_to(CHECKOUT.root / name)
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local" / "sam").symlink_to(CHECKOUT.built.parent)
    return Layout(tmp_path)


@pytest.fixture
def foreground(layout):
    """`python -m local.stack run`, ready."""
    command = [layout.environment(".venv") / "python", "-u", "-m", "local.stack", "run"]
    with (
        (layout.local / "run.log").open("w+") as output,
        subprocess.Popen(command, cwd=layout.root, stdout=output, stderr=subprocess.STDOUT) as process,
    ):
        try:
            eventually(lambda: process.poll() is not None or control.running(layout), seconds=120)
            assert process.poll() is None, Path(output.name).read_text()
            yield process
        finally:
            process.terminate()


def _of(layout: Layout) -> list[str]:
    """The command lines of every process that was started from this checkout."""
    lines = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(layout.root) in line and int(entry.parent.name) != os.getpid():
            lines.append(line)
    return lines


def _models(base: str, key: str) -> httpx.Response:
    return httpx.get(f"{base}/models", headers={"authorization": f"Bearer {key}"}, timeout=60)


def test_it_serves_notifies_and_ends_without_a_trace(layout, foreground):
    info = read_info(layout.info)
    assert info is not None
    assert _models(info.api_url, info.api_key).status_code == 200
    assert _models(info.api_url, "sk-sh-first-wrong").json()["error"]["code"] == "invalid_api_key"
    assert len([line for line in _of(layout) if "_worker.py" in line]) >= 1

    document = {"type": "verdict", "sentence": "It beats its baseline."}
    aws.client("sns", info.endpoint_url).publish(TopicArn=info.resources["TopicArn"], Message=json.dumps(document))
    eventually(lambda: layout.notifications.read_text().strip())
    assert json.loads(layout.notifications.read_text()) == document

    began = time.monotonic()
    foreground.send_signal(signal.SIGINT)
    assert foreground.wait(30) == 0
    assert time.monotonic() - began < 15
    assert _of(layout) == []
    assert not layout.info.exists()
    assert list(layout.scratch.iterdir()) == []
