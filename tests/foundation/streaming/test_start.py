"""The process as Lambda starts it: the script of AWS_LAMBDA_EXEC_WRAPPER, with the managed runtime's command line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import foundation.streaming
from tests.runtime_api import Lambda, http_event, lambda_service

START = Path(foundation.streaming.__file__).with_name("start")
SERVICES = START.parents[2]
OF_URL = http_event("POST", "/v1/x", b"{}", {})
HANDLER = """
print("imported")

def entry(event, context):
    print("served", context.aws_request_id)
    context.follow(iter([b"one", b"two"]))
    return {"statusCode": 200}
"""


@contextmanager
def started(service: Lambda, folder: Path, handler: str) -> Iterator[subprocess.Popen[str]]:
    """The process, with a task root that has the services and a module `odd`."""
    (folder / "foundation").symlink_to(SERVICES / "foundation")
    environment = {
        "PATH": os.environ["PATH"],
        "LAMBDA_TASK_ROOT": str(folder),
        "AWS_LAMBDA_RUNTIME_API": service.address,
        "_HANDLER": handler,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [START, sys.executable, "/var/runtime/bootstrap.py"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_script_starts_our_loop_in_the_managed_runtime_s_place_and_a_signal_ends_it(tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text(HANDLER)
    with lambda_service() as service, started(service, tmp_path, "odd.entry") as process:
        answer = service.invoke(OF_URL)
        assert answer.body() == b"onetwo"
        answer.wait()
        # What was printed is out before the next event is asked for.
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == ["imported\n", f"served {answer.request_id}\n"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


@pytest.mark.parametrize(
    ("source", "handler", "kind"),
    [
        ("import missing_module", "odd.entry", "Runtime.ImportModuleError"),
        ("def entry(:", "odd.entry", "Runtime.UserCodeSyntaxError"),
        ("", "odd.entry", "Runtime.HandlerNotFound"),
        ("", "odd", "Runtime.MalformedHandlerName"),
        ("1 / 0", "odd.entry", "ZeroDivisionError"),
    ],
)
def test_a_handler_that_cannot_be_loaded_is_told_and_logged(
    tmp_path: Path, source: str, handler: str, kind: str
) -> None:
    (tmp_path / "odd.py").write_text(source)
    with lambda_service() as service, started(service, tmp_path, handler) as process:
        output, _ = process.communicate(timeout=20)
        assert process.returncode == 1
        assert service.init_error["errorType"] == kind
        assert output.startswith(f"[ERROR] {kind}: ")
        assert service.init_error["stackTrace"]
