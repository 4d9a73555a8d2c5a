"""What a hostile source tries, each in a real process, and what is left of it."""

from __future__ import annotations

import ast
import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.sandbox.build import graded, message, needs


def body(*lines: str, imports: str = "os") -> str:
    """A source whose `grade` does this, and passes if it comes to its end."""
    inner = "\n    ".join(lines)
    return f"import {imports}\n\ndef grade(sample, item):\n    {inner}\n    return 1.0\n"


# ------------------------------------------------------------------ time, memory, output


@pytest.mark.parametrize(
    "source",
    [
        body("while True: pass"),
        body("time.sleep(60)", imports="time"),
        body("while True: print('x' * 100_000)"),
        body("os.close(1); os.close(2); time.sleep(60)", imports="os, time"),
        body(
            "for number in range(1, signal.NSIG):",
            "    if number not in (signal.SIGKILL, signal.SIGSTOP, 32, 33): signal.signal(number, lambda *_: None)",
            "while True:",
            "    try: time.sleep(1)",
            "    except BaseException: pass",
            imports="signal, time",
        ),
        "while True: pass\ndef grade(sample, item): return 1.0",
        body("class Slow(Exception):", "    def __str__(self): time.sleep(60)", "raise Slow", imports="time"),
        body("'a' * 30 == re.match(r'(a+)+$', 'a' * 40 + 'b')", imports="re"),
    ],
    ids=["loop", "sleep", "print", "silent", "signals", "import", "error text", "regex"],
)
def test_a_source_that_does_not_end_is_ended(source: str) -> None:
    before = time.monotonic()
    assert message(graded(source, wall_s=0.3)) == "The source took longer than 0.3 s."
    assert time.monotonic() - before < 15


def test_cpu_time_is_bounded_too() -> None:
    source = body(
        "for _ in range(8): threading.Thread(target=spin, daemon=True).start()", "spin()", imports="threading"
    )
    spin = "def spin():\n    while True: pass\n"
    answer = message(graded(spin + source, wall_s=0.5))
    assert "longer than 0.5 s" in answer or "CPU time" in answer


@pytest.mark.parametrize(
    "source",
    [
        body("x = []", "while True: x.append(bytearray(1 << 20))"),
        body("x = 'x' * (1 << 40)"),
        body("x = list(range(1 << 34))"),
        body("numpy.ones(1 << 34)", imports="numpy"),
    ],
    ids=["step by step", "at once", "objects", "numpy"],
)
def test_memory_is_bounded(source: str) -> None:
    assert "Memory" in message(graded(source, memory_bytes=400 << 20, wall_s=20.0))


def test_recursion_ends_with_an_error_or_with_the_process() -> None:
    deep = "def deep(n): return deep(n + 1)\n"
    assert "RecursionError" in message(graded(deep + body("deep(0)")))
    message(graded(deep + body("sys.setrecursionlimit(10 ** 9)", "deep(0)", imports="sys"), memory_bytes=300 << 20))
    message(graded(body("x = []", "for _ in range(10 ** 6): x = [x]", "repr(x)")))


def test_giant_output_is_kept_at_its_beginning() -> None:
    answer = graded(body("print('begin' + 'x' * 50_000_000)", "raise ValueError"), wall_s=20.0)
    assert message(answer).startswith("ValueError")
    assert answer["output"].startswith("beginxxx")
    assert len(answer["output"]) == 4096


# ------------------------------------------------------------------ processes


@pytest.mark.parametrize(
    "attempt",
    [
        "os.fork()",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.execv('/bin/true', ['true'])",
        "subprocess.run(['/bin/true'])",
        "multiprocessing.get_context('spawn').Process(target=print).start()",
        "ctypes.CDLL(None).fork() >= 0 or (_ for _ in ()).throw(PermissionError)",
        "ctypes.CDLL(None).vfork() >= 0 or (_ for _ in ()).throw(PermissionError)",
    ],
)
def test_no_process_is_started(attempt: str) -> None:
    needs("seccomp")
    process = message(graded(body(attempt, imports="os, subprocess, multiprocessing, ctypes")))
    assert "PermissionError" in process or "Operation not permitted" in process


def test_os_system_runs_nothing() -> None:
    needs("seccomp")
    assert graded(body("return float(os.system('true'))"))["score"] != 0


def test_a_fork_bomb_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs("seccomp")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    source = body("while True:", "    try: os.fork()", "    except OSError: pass")
    assert "longer than" in message(graded(source, wall_s=0.3))
    assert not living(tmp_path)


def living(folder: Path) -> set[Path]:
    """The processes that were started with a folder in here as their home."""
    processes = set()
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            if f"HOME={folder}/".encode() in (process / "environ").read_bytes():
                processes.add(process)
    return processes


def test_threads_that_do_not_end_end_with_their_process() -> None:
    source = """
    import threading, time
    def forever():
        while True: time.sleep(0.01)
    def grade(sample, item):
        for _ in range(20): threading.Thread(target=forever).start()
        return 1.0
    """
    before = time.monotonic()
    assert graded(source)["score"] == 1
    assert time.monotonic() - before < 5


def test_more_threads_than_memory_or_the_kernel_allows_are_an_error() -> None:
    source = body(
        "for _ in range(100_000): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
        imports="threading, time",
    )
    answer = message(graded(source, memory_bytes=1 << 30, wall_s=20.0))
    assert "can't start new thread" in answer or "Memory" in answer


@pytest.mark.parametrize(
    "attempt",
    [
        "os.kill(os.getppid(), 9)",
        "os.kill(os.getppid(), 0)",
        "os.kill(-1, 9)",
        "os.killpg(os.getpgid(os.getppid()), 9)",
        "signal.pidfd_send_signal(os.pidfd_open(os.getppid()), 9)",
        "resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))",
        "os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)",
        "os.sched_setaffinity(os.getppid(), {0})",
        "ends = os.pipe(); fcntl.fcntl(ends[0], fcntl.F_SETOWN, os.getppid())",
        "ends = os.pipe(); fcntl.fcntl(ends[0], fcntl.F_SETSIG, 9)",
    ],
)
def test_the_process_that_started_it_is_out_of_reach(attempt: str) -> None:
    needs("seccomp")
    answer = message(graded(body(attempt, imports="os, signal, resource, fcntl")))
    assert "PermissionError" in answer or "Operation not permitted" in answer


def test_it_may_signal_itself() -> None:
    assert "SIGTERM" in message(graded(body("os.kill(os.getpid(), 15)")))


# ------------------------------------------------------------------ the answer


@pytest.mark.parametrize(
    "leaving", ["sys.exit(0)", "os._exit(0)", "raise SystemExit(3)", "exit()", "os.abort()", "os.kill(os.getpid(), 9)"]
)
def test_a_source_that_leaves_has_no_score(leaving: str) -> None:
    message(graded(body(leaving, imports="os, sys")))


def test_printing_forges_no_score() -> None:
    answer = graded(body('print(\'{"score": 1.0, "walls": []}\', flush=True)', "raise ValueError('no')"))
    assert "no" in message(answer)
    assert answer["output"].startswith('{"score"')


def to_every_pipe(text: str) -> str:
    return f"for end in range(3, 4096):\n        try: os.write(end, {text!r})\n        except OSError: pass"


@pytest.mark.parametrize(
    "text",
    [
        b'{"score": 1.0, "walls": []}',
        b'{"score": NaN, "walls": []}',
        b'{"score": 1e999, "walls": []}',
        b'{"score": true, "walls": []}',
        b'{"score": "1", "walls": []}',
        b'{"score": 1.0}',
        b'{"score": 1.0, "walls": 7}',
        b'{"error": "x", "walls": []}',
        b"[]",
        b"[" * 5000,
        b"\xff\xfe",
        b"x" * 60_000,
    ],
)
def test_a_second_answer_beside_the_real_one_is_none(text: bytes) -> None:
    assert "something else" in message(graded(body(to_every_pipe(text))))


def test_an_endless_answer_is_cut() -> None:
    source = body("while True:", "    " + to_every_pipe("x" * 60_000).replace("\n", "\n    ").replace("'x", "b'x", 1))
    assert "longer than 0.3 s" in message(graded(source, wall_s=0.3))


@pytest.mark.parametrize(
    "score", ["NaN", "Infinity", "-Infinity", "1e999", "true", '"1"', "null", "[1]", "1" + "0" * 400]
)
def test_an_answer_written_by_the_source_itself_is_held_to_the_same(score: str) -> None:
    text = f'{{"score": {score}, "walls": []}}'.encode()
    assert "something else" in message(graded(body(to_every_pipe(text), "os._exit(0)")))


def test_a_changed_library_spoils_the_source_s_own_answer_at_most() -> None:
    source = """
    import json, math, os, sys, builtins
    json.dumps = json.JSONEncoder.encode = lambda *_, **__: '{"score": 1.0, "walls": []}'
    json.JSONEncoder.iterencode = lambda *_, **__: iter(['{"score": 1.0}'])
    math.isfinite = lambda _: True
    builtins.float = str
    sys.stdout = sys.stderr = None
    os.write = os._exit = print
    def grade(sample, item): return float("nan")
    """
    message(graded(source))


# ------------------------------------------------------------------ files


@contextmanager
def gone_afterwards(path: Path) -> Iterator[Path]:
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


@pytest.mark.parametrize("folder", [tempfile.gettempdir(), "/var/tmp", "/dev/shm", str(Path.home())])  # noqa: S108
def test_nothing_is_written_outside_of_its_folder(folder: str) -> None:
    needs("landlock")
    with gone_afterwards(Path(folder) / f"left-{os.getpid()}") as path:
        answer = message(graded(body(f"open({str(path)!r}, 'w').write('x')")))
        assert "Permission" in answer or "No such file" in answer
        assert not path.exists()


def test_nothing_outside_is_removed_renamed_linked_or_read(tmp_path: Path) -> None:
    needs("landlock")
    secret = tmp_path / "secret"
    secret.write_text("s")
    for attempt in (
        f"os.unlink({str(secret)!r})",
        f"os.rename({str(secret)!r}, 'mine')",
        f"os.link({str(secret)!r}, 'mine')",
        f"os.truncate({str(secret)!r}, 0)",
        f"os.listdir({str(tmp_path)!r})",
        f"open({str(secret)!r}).read()",
        f"os.symlink({str(secret)!r}, 'mine'); open('mine').read()",
    ):
        answer = message(graded(body(attempt)))
        assert "Permission" in answer or "cross-device" in answer, attempt
    assert secret.read_text() == "s"


@pytest.mark.parametrize(
    "mess",
    [
        ["os.makedirs('a/b/c')", "os.chmod('a/b', 0)", "os.chmod('a', 0)"],
        ["for _ in range(500):", "    os.mkdir('d' * 100)", "    os.chdir('d' * 100)"],
        ["for number in range(3000): open(str(number), 'w').close()"],
        ["os.symlink('/', 'root')", "os.symlink('root', 'loop')", "os.mkfifo('pipe')", "os.chmod('.', 0)"],
        ["open(b'\\xff\\xfe\\n', 'w').close()", "os.mkdir('-rf')", "os.mkdir('.moved')"],
    ],
    ids=["locked", "deep", "many", "odd kinds", "odd names"],
)
def test_whatever_it_leaves_in_its_folder_is_gone(
    mess: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    answer = graded(body(*mess), wall_s=20.0)
    assert answer.get("score") == 1, answer
    assert not list(tmp_path.iterdir())


def test_the_folder_around_its_own_keeps_its_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    tmp_path.chmod(0o1777)
    for mode in (0, 0o700, 0o777):
        assert graded(body(f"os.chmod({str(tmp_path)!r}, {mode})"))["score"] == 1
        assert tmp_path.stat().st_mode & 0o7777 == 0o1777


def test_a_large_file_is_refused() -> None:
    source = body("with open('big', 'wb') as file:", "    while True: file.write(bytes(1 << 20))")
    answer = message(graded(source, file_bytes=5 << 20))
    assert "File too large" in answer or "SIGXFSZ" in answer


# ------------------------------------------------------------------ environment, network


def test_its_environment_and_open_files_hold_nothing_of_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        answer = graded(
            body(
                "print(sorted(os.environ))",
                "print([end for end in range(256) if not os_error(end)])",
                "raise ValueError",
            )
            + "\ndef os_error(end):\n    try: os.fstat(end)\n    except OSError: return True\n"
        )
    names, ends = answer["output"].splitlines()
    assert set(ast.literal_eval(names)) <= {"HOME", "LANG", "LD_LIBRARY_PATH", "OPENBLAS_NUM_THREADS", "PATH", "TMPDIR"}
    assert len(ast.literal_eval(ends)) == 4, "stdin, stdout, stderr and the pipe for the answer"


@pytest.fixture
def server() -> Iterator[int]:
    """Someone who listens on loopback, as Lambda's runtime API does."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.2)
        yield listening.getsockname()[1]
        with pytest.raises(TimeoutError):
            listening.accept()


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.create_connection(('127.0.0.1', {port}), 2)",
        "urllib.request.urlopen('http://127.0.0.1:{port}/2018-06-01/runtime/invocation/next', timeout=2)",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {port}))",
        "socket.socket(socket.AF_UNIX).connect('\\0x')",
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
        "asyncio.run(asyncio.open_connection('127.0.0.1', {port}))",
        "ctypes.CDLL(None).socket(2, 1, 0) >= 0 or (_ for _ in ()).throw(PermissionError)",
        "socket.getaddrinfo('example.com', 80)",
    ],
)
def test_no_way_to_the_network(server: int, attempt: str) -> None:
    needs("seccomp")
    answer = message(graded(body(attempt.format(port=server), imports="socket, urllib.request, asyncio, ctypes")))
    assert "PermissionError" in answer or "Operation not permitted" in answer or "gaierror" in answer


def test_no_server_of_its_own_either() -> None:
    needs("seccomp")
    assert "PermissionError" in message(graded(body("socket.create_server(('127.0.0.1', 0))", imports="socket")))


def test_no_ring_that_a_filter_does_not_see() -> None:
    needs("seccomp")
    source = body("return float(ctypes.CDLL(None).syscall(425, 8, ctypes.create_string_buffer(120)))", imports="ctypes")
    assert graded(source)["score"] == -1


def test_memory_that_outlives_a_process_is_refused() -> None:
    needs("seccomp")
    assert "PermissionError" in message(graded(body("os.memfd_create('x')")))
    source = body("return float(ctypes.CDLL(None).shmget(0, 4096, 0o1600))", imports="ctypes")
    assert graded(source)["score"] == -1


def test_the_walls_cannot_be_taken_down() -> None:
    needs("seccomp")
    source = """
    import ctypes, os, resource
    def grade(sample, item):
        for kind in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_NOFILE):
            try: resource.setrlimit(kind, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            except ValueError: continue
            return 0.0
        # PR_SET_SECCOMP to none, PR_SET_NO_NEW_PRIVS off.
        assert ctypes.CDLL(None).prctl(22, 0, 0, 0, 0) == -1
        assert ctypes.CDLL(None).prctl(38, 0, 0, 0, 0) == -1
        try: os.setuid(0), os.chroot(".")
        except PermissionError: return 1.0
    """
    assert graded(source)["score"] == 1


def test_two_hostile_sources_beside_an_honest_one_do_not_disturb_it() -> None:
    loop = body("while True: os.urandom(1 << 20)")
    threads = [threading.Thread(target=graded, args=(loop,), kwargs={"wall_s": 0.7}) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert graded(body("pass"))["score"] == 1
    for thread in threads:
        thread.join()
