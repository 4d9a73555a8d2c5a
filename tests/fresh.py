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
from typing import IO, NamedTuple, NoReturn

import pytest

FRESH = pytest.StashKey["Fresh"]()
_FIXTURE = "fresh"
_LONGEST_S = 300


def keep_one(session: pytest.Session) -> None:
    """Where a test of this session asks for it."""
    if any(_FIXTURE in getattr(item, "fixturenames", ()) for item in session.items):
        fresh = session.config.stash[FRESH] = Fresh()
        session.config.add_cleanup(fresh.close)


class Ended(NamedTuple):
    """What a process wrote on standard output and on standard error, and its status: a signal's is below 0."""

    output: str
    errors: str
    status: int


class Fresh:
    def __init__(self) -> None:
        self._asking, answering = socket.socketpair()
        self._pid = _fork()
        if self._pid == 0:
            self._asking.close()
            _serve(answering)
        answering.close()
        self._answers = self._asking.makefile("r", encoding="utf-8")

    def ran(self, module: str, *arguments: str, **environment: str) -> Ended:
        """How the module's `main` has ended, in a process of its own with this environment beside the tests'."""
        self.begin(module, *arguments, **environment)
        return self.end()

    def begin(self, module: str, *arguments: str, **environment: str) -> int:
        """Run it, and give the number of its process. The next one begins when this has ended."""
        self._asking.sendall(json.dumps([module, arguments, environment]).encode() + b"\n")
        return int(self._answers.readline())

    def end(self) -> Ended:
        return Ended(*json.loads(self._answers.readline()))

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
            name, arguments, environment = json.loads(line)
            module = import_module(name)
            with TemporaryFile() as output, TemporaryFile() as errors:
                child = _fork()
                if child == 0:
                    os.environ.update(environment)
                    _run(module, arguments, output, errors, answering)
                status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
                written = [(file.seek(0), file.read().decode())[1] for file in (output, errors)]
            answering.sendall(json.dumps([*written, status]).encode() + b"\n")
    finally:
        os._exit(0)


def _run(
    module: object, arguments: list[str], output: IO[bytes], errors: IO[bytes], answering: socket.socket
) -> NoReturn:
    """What a forked process does: it never returns to what its parent was at."""
    status = 0
    try:
        signal.alarm(_LONGEST_S)
        for number, file in ((1, output), (2, errors)):
            os.dup2(file.fileno(), number)
        # Who hears of it finds what it writes from now on.
        answering.sendall(f"{os.getpid()}\n".encode())
        sys.stdout, sys.stderr = (io.TextIOWrapper(io.FileIO(number, "w", closefd=False)) for number in (1, 2))
        sys.argv = [str(getattr(module, "__file__", "")), *arguments]
        module.main()  # type: ignore[attr-defined]
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1 if ended.code else 0
        sys.stderr.write("" if isinstance(ended.code, int | None) else f"{ended.code}\n")
    except BaseException:  # noqa: BLE001 - nothing may go on as if it were the parent
        status = 1
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
