"""The function's own process, as Lambda starts it: with credentials, and called again after a bad source."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from isolation import clearing
from tests.sandbox.build import event, needs
from tests.sandbox.function import CREDENTIALS, SANDBOX, Machine, called

SPY = """
import ctypes, os, pathlib

def read(path):
    try: return pathlib.Path(path).read_bytes()
    except OSError as error: return type(error).__name__.encode()

def grade(sample, item):
    own = os.getppid()
    print(read(f"/proc/{own}/environ").decode(), read(f"/proc/{own}/cmdline"), dict(os.environ))
    try:
        with open(f"/proc/{own}/mem", "rb", 0) as memory:
            for line in open(f"/proc/{own}/maps"):
                begin, end = (int(one, 16) for one in line.split()[0].split("-"))
                if "rw" in line and "vvar" not in line:
                    memory.seek(begin)
                    for secret in item:
                        if secret.encode() in memory.read(end - begin): print("found", secret)
    except OSError as error:
        print(type(error).__name__)
    raise ValueError
"""


def test_one_process_serves_call_after_call_whatever_the_sources_do() -> None:
    bad = "import os, signal\ndef grade(sample, item):\n os.kill(os.getppid(), signal.SIGKILL)\n return 1.0"
    good = "def grade(sample, item): return 1.0"
    answers = called(event(good), event(bad), event("while True: pass", wall_s=0.2), event(good))
    needs("seccomp")
    assert [answer.get("score") for answer in answers] == [1, None, None, 1]


def test_no_source_sees_the_credentials_of_the_function() -> None:
    [answer] = called(event(SPY, item=list(CREDENTIALS.values())))
    assert "found" not in answer["output"]
    assert not any(value in answer["output"] for value in CREDENTIALS.values())


def test_a_folder_is_emptied_whatever_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").write_text("c")
    (tmp_path / "a").chmod(0)
    (tmp_path / "away").symlink_to("/etc")
    clearing.empty(tmp_path)
    assert not list(tmp_path.iterdir())
    assert Path("/etc").exists()


def test_a_folder_that_is_locked_itself_is_emptied(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    tmp_path.chmod(0)
    clearing.empty(tmp_path)
    assert not list(tmp_path.iterdir())
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_what_takes_too_long_to_remove_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clearing, "_PATIENCE_S", 0.0)
    (tmp_path / "a").mkdir()
    with pytest.raises(TimeoutError):
        clearing.empty(tmp_path)


# ------------------------------------------------------------------ as in Lambda, where the kernel may give no walls

# A machine of its own: the code at /var/task, nobody else in /proc, an own /tmp, and an unprivileged user. The
# filter refuses prctl, as Lambda's kernel has been seen to do, so that neither seccomp nor Landlock can be had. Like
# Lambda, it starts a process that ended once more, with the same /tmp and whatever else lives.
MAKE = """
set -e
mount -t tmpfs none /var
mkdir /var/task
mount -t tmpfs none /opt
mkdir /opt/python
mount --bind {prefix} /opt/python
mount --bind {sandbox} /var/task
mount -t tmpfs -o mode=700,uid=993,gid=990 none /tmp
mkdir /opt/extensions
cp $(command -v sleep) /opt/extensions/agent
as_user() {{ setpriv --reuid=993 --regid=990 --clear-groups "$@"; }}
as_user /opt/extensions/agent 600 > /dev/null 2>&1 &
begin() {{ as_user "$0" -I -c "$FIRST" "$0" "$@"; }}
begin "$@" || {{ echo null; begin "$@"; }}
"""
WALLED = "import os, sys; os.execv(sys.argv[1], sys.argv[1:])"
BARE = """
import os, sys, ctypes, struct
step = lambda code, yes, no, value: struct.pack("=HBBI", code, yes, no, value)
prctl, seccomp = {"x86_64": (157, 317), "aarch64": (167, 277)}[os.uname().machine]
steps = [step(0x20, 0, 0, 0)]
for number in (prctl, seccomp, 444):
    steps += [step(0x15, 0, 1, number), step(6, 0, 0, 0x50001)]
steps.append(step(6, 0, 0, 0x7FFF0000))
code = ctypes.create_string_buffer(b"".join(steps))
header = ctypes.create_string_buffer(struct.pack("@HP", len(steps), ctypes.addressof(code)))
libc = ctypes.CDLL(None)
libc.prctl(38, 1, 0, 0, 0)
assert libc.prctl(22, 2, header, 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.fixture(scope="module")
def machine() -> Machine:
    """A machine like Lambda's; skips where this one cannot make it."""
    if os.geteuid() or not all(shutil.which(tool) for tool in ("unshare", "setpriv", "mount")):
        pytest.skip("only root can make a machine like Lambda's")
    script = MAKE.format(prefix=shlex.quote(sys.base_prefix), sandbox=shlex.quote(str(SANDBOX)))
    start = ("unshare", "--mount", "--pid", "--net", "--fork", "--mount-proc", "sh", "-c", script)
    python = f"/opt/python/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    made = Machine(start, python, Path("/var/task"), {"LD_LIBRARY_PATH": "/opt/python/lib", "FIRST": BARE})
    tried = subprocess.run(
        [*start, python, "-I", "-c", ""],
        env={**os.environ, **made.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if tried.returncode:
        pytest.skip(f"no machine like Lambda's here: {tried.stderr.strip()}")
    return made


def on(machine: Machine, *sources: str, wall_s: float = 3.0) -> list[Any]:
    """An answer is None where the process ended instead."""
    return called(*(event(source, wall_s=wall_s) for source in sources), machine=machine)


GOOD = "def grade(sample, item): return 1.0"
# How many processes of the user there are beside the source's and the function's, and files beside the source's own.
LOOKING = """
import os
def grade(sample, item):
    ours = {os.getpid(), os.getppid()}
    others = [one for one in os.listdir("/proc") if one.isdecimal() and int(one) not in ours and lives(one)]
    left = [one for one in os.listdir("/tmp") if not one.startswith("grading-")]
    return float(len(others) + len(left))
def lives(pid):
    said = open(f"/proc/{pid}/status").read()
    return "Z (zombie)" not in said and "Uid:\\t993" in said and "Name:\\tagent" not in said
"""


def test_without_walls_a_source_still_has_its_score_and_its_limits(machine: Machine) -> None:
    limits = "import resource\ndef grade(s, i): return float(resource.getrlimit(resource.RLIMIT_NPROC)[0] < 100)"
    for answer in on(machine, limits):
        assert answer["score"] == 1
        assert set(answer["walls"]) <= {"capabilities"}, "or this machine is not what the tests below are about"


def test_without_walls_nothing_of_a_source_is_there_for_the_next(machine: Machine) -> None:
    leaving = """
    import os, subprocess, sys, time
    def grade(sample, item):
        open("/tmp/left", "w").write("x")
        os.makedirs("/tmp/deep/er"); os.chmod("/tmp/deep", 0)
        for _ in range(5):
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
        if not os.fork():
            os.setsid()
            if not os.fork():
                open("/tmp/alive", "w").write(str(os.getpid()))
                while True: time.sleep(0.01)
            os._exit(0)
        time.sleep(0.5)
        return 1.0
    """
    left, looked = on(machine, leaving, LOOKING)
    assert left["score"] == 1
    assert looked["score"] == 0


def test_without_walls_a_fork_bomb_is_bounded_and_ended(machine: Machine) -> None:
    bomb = """
    import os
    def grade(sample, item):
        while True:
            try: os.fork()
            except OSError: pass
    """
    # It has all the processes that it may have within milliseconds.
    bombed, served = on(machine, bomb, GOOD, wall_s=0.5)
    # It was ended, or the process ended and Lambda started a new one.
    assert not bombed or "error" in bombed
    assert served["score"] == 1


def test_without_walls_the_environment_of_the_function_says_nothing(machine: Machine) -> None:
    spy = SPY.replace("raise ValueError", "raise ValueError(pathlib.Path(f'/proc/{own}/environ').read_text())")
    [answer] = on(machine, spy)
    assert "AWS_SECRET_ACCESS_KEY=xxx" in str(answer), "it can be read, and holds nothing"
    assert not any(value in str(answer) for value in CREDENTIALS.values())


def test_without_walls_a_source_that_kills_the_function_costs_its_own_row_alone(machine: Machine) -> None:
    killing = "import os\ndef grade(sample, item): os.kill(os.getppid(), 9)"
    killed, served = on(machine, killing, GOOD)
    assert killed is None
    assert served["score"] == 1


def test_without_walls_nothing_outlives_the_process_that_a_source_killed(machine: Machine) -> None:
    staying = """
    import os, time
    def grade(sample, item):
        open("/tmp/left", "w").write("x")
        if os.fork(): os.kill(os.getppid(), 9)
        os.setsid()
        os.execv("/proc/self/exe", ["/opt/extensions/agent", "-c", "import time; time.sleep(600)"])
    """
    killed, looked = on(machine, staying, LOOKING)
    assert killed is None
    assert looked["score"] == 0


def test_processes_of_lambda_s_own_are_left_alone(machine: Machine) -> None:
    source = """
    import os, pathlib
    def grade(sample, item):
        names = [file.read_text().strip() for file in pathlib.Path("/proc").glob("[0-9]*/comm")]
        return float(names.count("agent"))
    """
    assert [answer["score"] for answer in on(machine, source, source)] == [1, 1]


LOCKING = """
import os
def grade(sample, item):
    os.makedirs("a/b/c"); open("a/b/file", "w").close(); os.chmod("a/b/file", 0)
    own = os.environ["TMPDIR"]
    for folder in ("a/b/c", "a/b", "a", own, os.path.dirname(own)): os.chmod(folder, {mode})
    return 1.0
"""


@pytest.mark.parametrize("first", [BARE, WALLED], ids=["without walls", "with walls"])
def test_no_source_locks_the_function_out_of_its_folders(machine: Machine, first: str) -> None:
    locking = [LOCKING.format(mode=mode) for mode in ("0", "0o100", "0o444", "0o4001")]
    at = replace(machine, environment={**machine.environment, "FIRST": first})
    answers = on(at, *(source for twice in zip(locking, locking, strict=True) for source in twice), GOOD)
    assert [answer and answer.get("score") for answer in answers] == [1] * 9


def test_without_walls_a_locked_folder_does_not_outlive_the_process(machine: Machine) -> None:
    locking = "import os\ndef grade(sample, item): os.chmod('/tmp', 0), os.kill(os.getppid(), 9)"
    assert [answer and answer["score"] for answer in on(machine, locking, GOOD)] == [None, 1]
