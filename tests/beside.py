"""Tests in several processes: `--processes 3` forks them from the one that has imported and collected everything.

Imports and collection take ten seconds of a processor, thirty where no byte code is kept yet, and are done once. A
process takes one file after the other, and all files of the local stack as if they were one: there is one stack, and
what a test kills, counts or lists there is its own. Every report goes to the first process, which prints it and counts.
"""

from __future__ import annotations

import os
import signal
import struct
import sys
import time
import traceback
import warnings
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from typing import Any, NoReturn

import pytest
from _pytest.config import create_terminal_writer
from _pytest.runner import pytest_sessionfinish as tear_down

from tests.fresh import keep_one

_FOLDERS = ("tests/stack/", "tests/conformance/", "tests/local/stack/test_lifecycle.py")
_IN_PROCESS = "tests/conformance/test_description.py"
_LONG = ("tests/flow/", "tests/tuning/trainers/", "tests/bench/", "tests/sandbox/", "tests/providers/test_pace.py")
_TURN = struct.Struct("I")
_PATIENCE_S = 900
"""The first download of the environments may take more than five minutes."""

type Groups = list[list[pytest.Item]]


def is_of_the_stack(nodeid: str) -> bool:
    """Whether a test needs the stack."""
    return nodeid.startswith(_FOLDERS) and not nodeid.startswith(_IN_PROCESS)


def place(item: pytest.Item) -> int:
    """What takes longest comes first, since others go on beside it."""
    return 0 if is_of_the_stack(item.nodeid) else 1 if item.nodeid.startswith(_LONG) else 2


@cache
def give_way() -> None:
    """The functions of the stack have seconds, unit tests have time: these leave the processor to those."""
    os.nice(5)


def wait_for(paths: Iterable[str]) -> None:
    """Wait until all of these files are there, which others make meanwhile. Raises UsageError where that never ends."""
    deadline = time.monotonic() + _PATIENCE_S
    while missing := [path for path in paths if not Path(path).exists()]:
        if time.monotonic() > deadline:
            raise pytest.UsageError(f"not set up within {_PATIENCE_S} seconds: {', '.join(missing)}")
        time.sleep(0.1)


def run(session: pytest.Session, processes: int) -> None:
    """Run what is collected, and report it here.

    A test whose process dies has failed, and the others of its file with it.
    """
    by_file: dict[str, list[pytest.Item]] = {}
    for item in session.items:
        file = "the stack" if is_of_the_stack(item.nodeid) else item.nodeid.partition("::")[0]
        by_file.setdefault(file, []).append(item)
    groups = list(by_file.values())
    turns = _all_turns(len(groups))
    workers = dict(_forked(session, groups, turns) for _ in range(min(processes, len(groups))))
    os.close(turns)
    try:
        ended = sum(_heard(session, workers))
    finally:
        for pid in workers.values():
            os.waitpid(pid, 0)
    if not session.shouldfail and ended != len(session.items):
        session.shouldfail = f"{len(session.items) - ended} tests did not come to their end"
    if session.shouldfail:
        raise session.Failed(session.shouldfail)


def _all_turns(count: int) -> int:
    """A pipe out of which each process reads the number of the group that it takes next."""
    source, sink = os.pipe()
    os.write(sink, b"".join(map(_TURN.pack, range(count))))
    os.close(sink)
    return source


def _forked(session: pytest.Session, groups: Groups, turns: int) -> tuple[Connection, int]:
    source, sink = Pipe(duplex=False)
    with warnings.catch_warnings():
        # Libraries of numbers keep threads that are idle now; no lock is held.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        _work(session, groups, turns, sink)
    sink.close()
    return source, pid


def _heard(session: pytest.Session, workers: dict[Connection, int]) -> Iterator[bool]:
    """Whether a test has ended, for each of its reports, until no process has more to say."""
    hook, at_work = session.config.hook, dict.fromkeys(workers, ("", None, ""))
    while at_work:
        for source in wait(list(at_work)):
            assert isinstance(source, Connection)
            try:
                message = source.recv()
            except EOFError:
                message = None
                if at_work[source][0]:
                    hook.pytest_runtest_logreport(report=_died(*at_work[source]))
            if message is None:
                del at_work[source]
                continue
            report = hook.pytest_report_from_serializable(config=session.config, data=message)
            hook.pytest_runtest_logreport(report=report)
            at_work[source] = (report.nodeid, report.location, report.when)
            if report.when == "teardown":
                hook.pytest_runtest_logfinish(nodeid=report.nodeid, location=report.location)
            yield report.when == "teardown"
        if session.shouldfail:
            for source in at_work:
                os.kill(workers[source], signal.SIGTERM)
            return


def _died(nodeid: str, location: Any, when: str) -> pytest.TestReport:
    said = f"the process died after the {when} of this test"
    return pytest.TestReport(nodeid, location, {}, "failed", said, "call")


def _work(session: pytest.Session, groups: Groups, turns: int, sink: Connection) -> NoReturn:
    """What a forked process does: it never returns to what its parent was at."""
    status = 1
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _keep_to_oneself(session.config)
        keep_one(session)
        session.config.pluginmanager.register(_Sender(session.config, sink))
        try:
            _run_groups(session, groups, turns)
        finally:
            tear_down(session)
        sink.send(None)
        status = 0
    except KeyboardInterrupt:
        pass
    except BaseException:  # noqa: BLE001 - nothing may go on as if it were the parent
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _run_groups(session: pytest.Session, groups: Groups, turns: int) -> None:
    """Run one group after the other. Behind its last test, what the session shares stays, whatever comes next."""
    while turn := os.read(turns, _TURN.size):
        items: list[Any] = [*groups[_TURN.unpack(turn)[0]], session]
        for item, following in pairwise(items):
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)


def _keep_to_oneself(config: pytest.Config) -> None:
    """Print nothing, and capture into files that no other process writes to."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    assert reporter is not None
    reporter._tw = create_terminal_writer(config, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - to the end
    capturing: Any = config.pluginmanager.getplugin("capturemanager")
    capturing.stop_global_capturing()
    capturing.start_global_capturing()
    capturing.suspend_global_capture()


class _Sender:
    """Hands every report to the first process."""

    def __init__(self, config: pytest.Config, sink: Connection) -> None:
        self._config, self._sink = config, sink

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._sink.send(self._config.hook.pytest_report_to_serializable(config=self._config, report=report))
