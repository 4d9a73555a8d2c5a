import http.server
import os
import sys
import threading
from pathlib import Path

import pytest

from local.stack.errors import StackError
from local.stack.processes import child, healthy, run_logged, wait_healthy
from tests.local.stack.build import eventually

# A leader that starts a process deaf to SIGTERM, says its id, and waits.
FAMILY = """
import signal, subprocess, sys, time
deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
member = subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE, text=True)
member.stdout.readline()
print(member.pid, flush=True)
time.sleep(60)
"""
ROOT = Path(__file__).parents[3]


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


def _first_line(log: Path) -> str:
    eventually(lambda: log.exists() and "\n" in log.read_text())
    return log.read_text().splitlines()[0]


def test_a_child_takes_its_whole_family_along(tmp_path):
    log = tmp_path / "logs" / "family.log"
    with child("family", [sys.executable, "-c", FAMILY], env=os.environ, cwd=tmp_path, log=log) as leader:
        member = int(_first_line(log))
        assert alive(leader.process.pid)
        assert alive(member)
    assert not alive(leader.process.pid)
    eventually(lambda: not alive(member))


def test_a_tethered_family_ends_with_a_killed_parent(tmp_path):
    (tmp_path / "family.py").write_text(FAMILY)
    log = tmp_path / "family.log"
    parent = f"""
import os, sys, time
from pathlib import Path
from local.stack.processes import child
command = [sys.executable, "-m", "local.stack.tether", "family"]
env = os.environ | {{"PYTHONPATH": {str(ROOT)!r}}}
with child("family", command, env=env, cwd=Path({str(tmp_path)!r}), log=Path({str(log)!r})) as leader:
    print(leader.process.pid, flush=True)
    time.sleep(60)
"""
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    parent_log = tmp_path / "parent.log"
    with child("parent", [sys.executable, "-c", parent], env=env, cwd=tmp_path, log=parent_log) as started:
        leader, member = int(_first_line(parent_log)), int(_first_line(log))
        started.process.kill()
        eventually(lambda: not alive(leader) and not alive(member))


def test_a_failing_command_shows_the_end_of_its_log(tmp_path):
    log = tmp_path / "sam.log"
    script = "print('the reason'); raise SystemExit(3)"
    with pytest.raises(StackError) as failure:
        run_logged("sam build", [sys.executable, "-c", script], env=os.environ, cwd=tmp_path, log=log)
    assert "sam build failed (3)" in str(failure.value)
    assert "the reason" in str(failure.value)
    assert str(log) in str(failure.value)


def test_a_child_that_ends_at_its_start_says_why(tmp_path):
    log = tmp_path / "lab.log"
    command = [sys.executable, "-c", "raise SystemExit('no such module')"]
    with (
        child("lab", command, env=os.environ, cwd=tmp_path, log=log) as started,
        pytest.raises(StackError, match="lab ended at its start:\nno such module"),
    ):
        wait_healthy(started, 1, "/")


def test_a_silent_child_is_given_up(tmp_path):
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with (
        child("lab", command, env=os.environ, cwd=tmp_path, log=tmp_path / "lab.log") as started,
        pytest.raises(StackError, match="did not answer on port 1"),
    ):
        wait_healthy(started, 1, "/", seconds=0.2)


def test_healthy_is_status_200():
    class Sick(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/well" else 500)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Sick) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert healthy(server.server_port, "/well")
        assert not healthy(server.server_port, "/ill")
        server.shutdown()
