"""A process that is forked from this one before its first test: it has imported all that tests import, and run nothing.

Commands run in processes that are forked from it. What tests leave in this one, such as clients, threads and loops of
events, is none of theirs; and what they would import anew, which takes longer than they run, is there.
"""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import sys
import traceback
import warnings
from importlib import import_module
from tempfile import TemporaryFile
from typing import IO, NoReturn

import pytest

FRESH = pytest.StashKey["Fresh"]()
_FIXTURE = "fresh"
_LONGEST_S = 300


def keep_one(session: pytest.Session) -> None:
    """Where a test of this session asks for it."""
    if any(_FIXTURE in getattr(item, "fixturenames", ()) for item in session.items):
        fresh = session.config.stash[FRESH] = Fresh()
        session.config.add_cleanup(fresh.close)


class Fresh:
    def __init__(self) -> None:
        self._asking, answering = socket.socketpair()
        self._pid = _fork()
        if self._pid == 0:
            self._asking.close()
            _serve(answering)
        answering.close()
        self._answers = self._asking.makefile("r", encoding="utf-8")

    def ran(self, module: str, *arguments: str) -> tuple[str, str]:
        """What the module's `main` wrote on standard output, and on standard error, in a process of its own."""
        self._asking.sendall(json.dumps([module, arguments]).encode() + b"\n")
        output, errors = json.loads(self._answers.readline())
        return output, errors

    def close(self) -> None:
        self._answers.close()
        self._asking.close()
        os.waitpid(self._pid, 0)


def _fork() -> int:
    with warnings.catch_warnings():
        # Libraries of numbers keep threads that are idle now; no lock is held.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _serve(answering: socket.socket) -> NoReturn:
    # That of a process of several that run the tests is a handler.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        for line in answering.makefile("r", encoding="utf-8"):
            name, arguments = json.loads(line)
            module = import_module(name)
            with TemporaryFile() as output, TemporaryFile() as errors:
                child = _fork()
                if child == 0:
                    _run(module, arguments, output, errors)
                os.waitpid(child, 0)
                written = [(file.seek(0), file.read().decode())[1] for file in (output, errors)]
            answering.sendall(json.dumps(written).encode() + b"\n")
    finally:
        os._exit(0)


def _run(module: object, arguments: list[str], output: IO[bytes], errors: IO[bytes]) -> NoReturn:
    """What a forked process does: it never returns to what its parent was at."""
    try:
        signal.alarm(_LONGEST_S)
        for number, file in ((1, output), (2, errors)):
            os.dup2(file.fileno(), number)
        sys.stdout, sys.stderr = (io.TextIOWrapper(io.FileIO(number, "w", closefd=False)) for number in (1, 2))
        sys.argv = [str(getattr(module, "__file__", "")), *arguments]
        module.main()  # type: ignore[attr-defined]
    except SystemExit as ended:
        sys.stderr.write(f"{ended.code}\n")
    except BaseException:  # noqa: BLE001 - nothing may go on as if it were the parent
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
