"""When the command stops watching: what was approved is waited for, though its status says so only later."""

from __future__ import annotations

from typing import Any

import pytest

from stillhouse import stack, watched

BLOCKED: dict[str, Any] = {"status": "blocked", "approved_at": None, "plan": {"reasons": ["Too few rows."]}}


def test_who_has_approved_waits_for_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    states = iter([{**BLOCKED, "approved_at": 1}, {"status": "training"}, {"status": "completed"}])
    monkeypatch.setattr(stack, "asked", lambda *_: next(states))
    ended = watched.until_ended("https://x/v1", "distill_1", "/distillations/distill_1", wait_s=0)
    assert (ended["status"], watched.code(ended)) == ("completed", 0)
    told = [f"distill_1: {status}" for status in ("blocked", "training", "completed")]
    assert capsys.readouterr().err.splitlines() == told


def test_nobody_waits_where_a_person_must_say_how_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "asked", lambda *_: BLOCKED)
    assert watched.code(watched.until_ended("https://x/v1", "distill_1", "/", wait_s=0)) == watched.BLOCKED_CODE
