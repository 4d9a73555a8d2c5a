"""The sandbox function as Lambda calls it: a process of its own, whose environment holds the function's credentials."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from boto3 import Session

SANDBOX = Path(__file__).parents[2] / "sandbox"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "ASIAFUNCTION",
    "AWS_SECRET_ACCESS_KEY": "function-secret",
    "AWS_SESSION_TOKEN": "function-token",
}


@dataclass(frozen=True)
class Machine:
    """Where the function runs: this very machine, or one that a command makes."""

    started_by: tuple[str, ...] = ()
    python: str = sys.executable
    root: Path = SANDBOX
    environment: dict[str, str] = field(default_factory=dict)


_ENTRY = """
import json, sys
sys.path.insert(0, sys.argv[1])
import handler
# Byte by byte: the next line may be for the process that comes after this one.
while line := sys.stdin.buffer.raw.readline():
    print(json.dumps(handler.entry(json.loads(line), None)), flush=True)
"""


def called(*events: dict[str, Any], machine: Machine | None = None) -> list[dict[str, Any]]:
    """The answers of one process to one call after another. Fewer answers than calls: the process ended."""
    on = machine or Machine()
    done = subprocess.run(
        [*on.started_by, on.python, "-I", "-c", _ENTRY, str(on.root)],
        input="".join(json.dumps(event) + "\n" for event in events),
        env={"PATH": os.environ["PATH"], **CREDENTIALS, **on.environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert "Traceback" not in done.stderr, done.stderr
    return answers


def route(session: Session) -> None:
    """Have calls of functions answered here, by clients that this session makes from now on."""
    session.events.register("before-call.lambda.Invoke", _answer, unique_id="sandbox")


def _answer(params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
    answers = called(json.loads(params["body"]))
    response = {
        "Payload": io.BytesIO(json.dumps(answers[0] if answers else {"errorType": "Runtime.ExitError"}).encode())
    }
    return SimpleNamespace(status_code=200), response if answers else {**response, "FunctionError": "Unhandled"}
