"""Tests in several forked processes are run once each, reported in one place, and none is lost."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests import beside

REPOSITORY = Path(__file__).resolve().parents[1]
CONFTEST = """
from tests import beside

def pytest_runtestloop(session):
    beside.run(session, 3)
    return True
"""
SOUND = """
import pytest

@pytest.fixture(scope="session")
def opened():
    yield
    print("closed")

@pytest.mark.parametrize("number", range(5))
def test_sound(number, opened):
    pass
"""
ODD = """
import pytest

def test_differs():
    print("what it printed")
    assert [1, 2] == [1, 3]

def test_left_out():
    pytest.skip("not here")

def test_sound():
    pass
"""
DEADLY = """
import os

def test_sound():
    pass

def test_dies():
    os._exit(0)

def test_lost():
    pass
"""


def run(folder: Path, *arguments: str, **files: str) -> tuple[int, str]:
    """How a session over these files ends, and what it prints."""
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib -p no:cacheprovider")
    (folder / "conftest.py").write_text(CONFTEST)
    for name, text in files.items():
        (folder / f"test_{name}.py").write_text(text)
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-ra", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return ended.returncode, ended.stdout + ended.stderr


def test_each_test_is_run_once_and_told_as_it_ended(tmp_path: Path) -> None:
    status, told = run(tmp_path, sound=SOUND, other=SOUND, odd=ODD)
    assert status == pytest.ExitCode.TESTS_FAILED
    assert "1 failed, 11 passed, 1 skipped" in told
    assert "FAILED test_odd.py::test_differs" in told
    assert "what it printed" in told
    assert "At index 1 diff: 2 != 3" in told


def test_what_passes_passes(tmp_path: Path) -> None:
    status, told = run(tmp_path, sound=SOUND, other=SOUND)
    assert status == pytest.ExitCode.OK
    assert "10 passed" in told


def test_a_process_that_dies_is_a_failure_and_what_it_leaves_is_missed(tmp_path: Path) -> None:
    status, told = run(tmp_path, sound=SOUND, deadly=DEADLY)
    assert status == pytest.ExitCode.TESTS_FAILED
    assert "FAILED test_deadly.py::test_dies" in told
    assert "2 tests did not come to their end" in told


def test_the_first_failure_ends_all_where_that_is_asked(tmp_path: Path) -> None:
    endless = "import time\n\ndef test_waits():\n    time.sleep(50)\n"
    status, told = run(tmp_path, "-x", odd=ODD, endless=endless)
    assert status == pytest.ExitCode.TESTS_FAILED
    assert "stopping after 1 failures" in told


def test_it_waits_for_what_is_set_up_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    late = tmp_path / "late"
    maker = threading.Timer(0.05, late.touch)
    maker.start()
    beside.wait_for([str(tmp_path), str(late)])
    assert late.exists()
    maker.join()
    monkeypatch.setattr(beside, "_PATIENCE_S", 0)
    with pytest.raises(pytest.UsageError, match="never"):
        beside.wait_for([str(tmp_path / "never")])
