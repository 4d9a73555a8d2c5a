"""Run one grading in a process of its own.

In: `{source, sample, item, limits?}`. Out: `{"score": float}` or `{"error": {"code", "message"}, "output"?}`, with the
`walls` that enclosed the source. The source's process and files are removed before this returns, whatever it did.
Raises OSError if no process can be started or some of its files cannot be removed.
"""

from __future__ import annotations

import json
import math
import os
import selectors
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import IO, Any, NamedTuple

from isolation.clearing import empty, reopened
from isolation.walls import Limits

_PACKAGES = Path(__file__).parents[1]
_CHILD = Path(__file__).with_name("child.py")
_LONGEST_WALL_S = 120.0
_LONGEST_ANSWER = 64 * 1024
_LONGEST_OUTPUT = 4 * 1024
_LONGEST_MESSAGE = 2000
_READ = 64 * 1024
_START_S = 10.0
_GLANCE_S = 0.2
_FAILED = "python_grader_runtime_error"


class _Ended(NamedTuple):
    """The outcome of a process: its answer, its output, its exit status, and whether it ended in time."""

    answer: bytes
    output: bytes
    status: int
    in_time: bool


def grade(request: dict[str, Any], *, memory_bytes: int | None = None) -> dict[str, Any]:
    """Grade with a source; `memory_bytes` is the most memory that it may take, whatever its limits allow."""
    limits = _limits(request.get("limits") or {}, memory_bytes)
    with _folder() as folder:
        ended = _ended(request, limits, folder)
    return _read(ended, limits)


@contextmanager
def _folder() -> Iterator[Path]:
    """Make a folder for the source and remove it afterwards. The parent's mode is restored if the source changed it."""
    around = Path(tempfile.gettempdir())
    mode = reopened(around)
    folder = Path(tempfile.mkdtemp(prefix="grading-"))
    try:
        yield folder
    finally:
        if stat.S_IMODE(around.stat().st_mode) != mode:
            around.chmod(mode)
        empty(folder)
        folder.rmdir()


def _limits(asked: dict[str, Any], memory_bytes: int | None) -> Limits:
    limits = Limits(**asked)
    return limits._replace(
        wall_s=min(limits.wall_s, _LONGEST_WALL_S),
        memory_bytes=min(limits.memory_bytes, memory_bytes or limits.memory_bytes),
    )


def _ended(request: dict[str, Any], limits: Limits, folder: Path) -> _Ended:
    given = {
        **{name: request[name] for name in ("source", "sample", "item")},
        "limits": limits._asdict(),
        "folder": str(folder),
        "packages": str(_PACKAGES),
    }
    with ExitStack() as opened:
        # A file, not a pipe: writing to a pipe would block while the process does not read.
        asking = opened.enter_context(tempfile.TemporaryFile())
        asking.write(json.dumps(given).encode())
        asking.seek(0)
        (answers, answering), (output, printing) = os.pipe(), os.pipe()
        answer_pipe, output_pipe = (opened.enter_context(FileIO(end)) for end in (answers, output))
        try:
            process = _started(asking, answering, printing, folder)
        finally:
            os.close(answering)
            os.close(printing)
        try:
            return _listened(process, answer_pipe, output_pipe, limits.wall_s)
        finally:
            _end(process)


def _started(asking: IO[bytes], answering: int, printing: int, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-B", str(_CHILD), str(answering)],
        stdin=asking,
        stdout=printing,
        stderr=printing,
        pass_fds=(answering,),
        cwd=folder,
        env=_environment(folder),
        start_new_session=True,
    )


def _environment(folder: Path) -> dict[str, str]:
    """Return the source's environment: nothing of ours but the path of the libraries of Lambda's interpreter."""
    libraries = os.environ.get("LD_LIBRARY_PATH")
    return {
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        "PATH": "/usr/bin:/bin",
        "OPENBLAS_NUM_THREADS": "2",
        **({"LD_LIBRARY_PATH": libraries} if libraries else {}),
    }


def _listened(process: subprocess.Popen[bytes], answers: FileIO, output: FileIO, wall_s: float) -> _Ended:
    """Read until the pipe for the answer closes. All output is read, but only its beginning is kept.

    The first byte of the answer says that the source begins: its time limit counts from there.
    """
    kept = {answers: bytearray(), output: bytearray()}
    most = {answers: _LONGEST_ANSWER, output: _LONGEST_OUTPUT}
    deadline, in_time = time.monotonic() + _START_S, True
    with selectors.DefaultSelector() as selector:
        for stream in kept:
            selector.register(stream, selectors.EVENT_READ, stream)
        while answers in kept.keys() & {key.data for key in selector.get_map().values()}:
            left = deadline - time.monotonic()
            if left <= 0:
                in_time = False
                break
            ready = selector.select(min(left, _GLANCE_S))
            if not ready and process.poll() is not None:
                break
            for key, _ in ready:
                data = key.data.read(_READ)
                if not data:
                    selector.unregister(key.data)
                elif key.data is answers and not kept[answers]:
                    deadline = time.monotonic() + wall_s
                kept[key.data] += data[: most[key.data] - len(kept[key.data])]
    return _Ended(bytes(kept[answers]), bytes(kept[output]), _status(process, wait=in_time), in_time)


def _status(process: subprocess.Popen[bytes], *, wait: bool) -> int:
    """Return the exit status of a process; one that does not end within a second is killed."""
    if wait:
        with suppress(subprocess.TimeoutExpired):
            return process.wait(1)
    return _end(process)


def _end(process: subprocess.Popen[bytes]) -> int:
    """Kill the process and its group; return its exit status."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def _read(ended: _Ended, limits: Limits) -> dict[str, Any]:
    """Return the result. Raises ChildProcessError if the process ended before the source began: not its fault."""
    printed = ended.output.decode(errors="replace")
    if not ended.answer:
        raise ChildProcessError(f"the process did not get as far as the source (status {ended.status}): {printed}")
    answer = _answer(ended.answer) if ended.in_time else None
    if answer is not None and "score" in answer:
        return answer
    if answer is None:
        answer = {"error": {"code": _FAILED, "message": _why(ended, limits)}}
    return {**answer, "output": printed} if printed else answer


def _answer(data: bytes) -> dict[str, Any] | None:
    """Parse and check the answer; None if it is invalid. The source could write to the pipe too."""
    try:
        document = json.loads(data)
        walls = [str(wall) for wall in document["walls"]]
        if "error" in document:
            # Half a surrogate pair is no text that others can read.
            message = str(document["error"]["message"]).encode(errors="replace").decode()
            return {"error": {"code": _FAILED, "message": message[:_LONGEST_MESSAGE]}, "walls": walls}
        score = document["score"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    valid = isinstance(score, float) and math.isfinite(score)
    return {"score": score, "walls": walls} if valid else None


def _why(ended: _Ended, limits: Limits) -> str:
    if not ended.in_time:
        return f"The source took longer than {limits.wall_s:g} s."
    if ended.answer.strip():
        return "The source wrote something else than one score into the pipe for it."
    if ended.status == -signal.SIGXCPU:
        return f"The source took more CPU time than {2 * limits.wall_s:g} s."
    if ended.status < 0:
        name = signal.Signals(-ended.status).name
        return f"The process was ended by {name} before it had a score; too much memory is a likely cause."
    return f"The process ended with status {ended.status} before it had a score."
