"""What runs in a process that is forked from a fresh one: its output comes back, and no test is in it."""

import calendar

import pytest

from tests.fresh import Fresh


def test_what_a_command_writes_comes_back_whatever_a_test_did_here(
    fresh: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calendar, "main", None)
    output, errors = fresh.ran("calendar", "2026", "11")
    assert output.splitlines()[0].strip() == "November 2026"
    assert errors == ""


def test_how_it_fails_is_told_and_the_next_one_runs(fresh: Fresh) -> None:
    output, errors = fresh.ran("calendar", "moon")
    assert (output, "moon" in errors) == ("", True)
    assert "AttributeError" in fresh.ran("colorsys")[1], "it has no main"
    assert fresh.ran("calendar", "2026", "11")[1] == ""
