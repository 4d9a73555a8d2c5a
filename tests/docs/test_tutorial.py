"""The tutorial's script, with fewer mails, against the same handlers in this process. The soak runs it as it stands."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from local.stack.deploy import EXAMPLE_PRICES
from local.stack.teacher import prepare_teacher
from tests.client.deployed import Deployed
from tests.client.doubles import served
from tests.flow.system import KEY, System

ROOT = Path(__file__).resolve().parents[2]
_EARLIER, _RECENT = 80, 75


def test_the_script_goes_from_traffic_to_two_verdicts(
    system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRICES", json.dumps(EXAMPLE_PRICES))
    examples, lab = tmp_path / "examples", f"{system.lab}/v1"
    for folder in (examples, tmp_path / ".local"):
        folder.mkdir()
    script = (ROOT / "examples/first_distillation.py").read_text(encoding="utf-8")
    assert script.count("[:-150], mails[-150:]") == 1
    (examples / "first_distillation.py").write_text(script.replace("-150", f"-{_RECENT}"), encoding="utf-8")
    mails = (ROOT / "examples/support_mail.jsonl").read_bytes().splitlines(keepends=True)
    (examples / "support_mail.jsonl").write_bytes(b"".join(mails[-_EARLIER - _RECENT :]))
    prepare_teacher(lab)
    with served(Deployed(system)) as url:
        stack = {"api_url": url, "gateway_url": url, "lab_url": lab, "pages_url": "http://pages", "api_key": KEY}
        (tmp_path / ".local/stack.json").write_text(json.dumps(stack), encoding="utf-8")
        ended = subprocess.run(
            [sys.executable, examples / "first_distillation.py"],
            env={**os.environ, "PYTHONPATH": str(ROOT / "client")},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-4000:]
    assert re.findall(r"distill_\w+: (\w+)$", ended.stdout, re.MULTILINE) == ["completed", "completed"], ended.stdout
    assert "examples of the local stack, not real prices" in ended.stdout
    assert "earlier verdicts on these rows: 1" in ended.stdout
