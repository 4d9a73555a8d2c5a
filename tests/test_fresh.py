"""What runs in a process that is forked from a fresh one: its output comes back, and no test is in it."""

import calendar
import os
import signal
import time
from pathlib import Path

import pytest

from tests.fresh import Fresh


def test_what_a_command_writes_comes_back_whatever_a_test_did_here(
    fresh: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calendar, "main", None)
    output, errors, status = fresh.ran("calendar", "2026", "11")
    assert output.splitlines()[0].strip() == "November 2026"
    assert (errors, status) == ("", 0)


def test_how_it_fails_is_told_and_the_next_one_runs(fresh: Fresh) -> None:
    output, errors, status = fresh.ran("calendar", "moon")
    assert (output, "moon" in errors, status) == ("", True, 2)
    assert "AttributeError" in fresh.ran("colorsys").errors, "it has no main"
    assert fresh.ran("calendar", "2026", "11").status == 0


def test_it_has_the_environment_that_it_is_given_and_may_be_killed(fresh: Fresh) -> None:
    process = fresh.begin("tests.waiting", "SAID", SAID="it was told")
    while not (written := Path(f"/proc/{process}/fd/1").read_text()):
        time.sleep(0.01)
    os.kill(process, signal.SIGKILL)
    assert (written, fresh.end()) == ("it was told", ("it was told", "", -signal.SIGKILL))
    assert "SAID" not in os.environ
