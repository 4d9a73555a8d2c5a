"""`stillhouse costs`: what is asked of Stillhouse, and what a person reads."""

import json

import pytest
from typer.testing import CliRunner

from stillhouse import asking, cli

SPENT = {
    "month": "2026-11",
    "trainings_usd": 3.0,
    "evals_usd": 0.5,
    "rollouts_usd": 0.0,
    "total_usd": 3.5,
    "unpriced": 2,
}
COSTS = {"spending": {**SPENT, "monthly_cap_usd": 10.0, "left_usd": 6.5}, "retire_lost_after_days": 30}
NOTHING_SET = {"spending": {**SPENT, "unpriced": 0, "monthly_cap_usd": None, "left_usd": None}}


@pytest.fixture
def asked(monkeypatch):
    calls = []

    def answer(_, method, path, body=None):
        calls.append((method, path, body))
        return COSTS if body is None else {**NOTHING_SET, "retire_lost_after_days": None}

    monkeypatch.setattr(asking, "asked", answer)
    monkeypatch.setenv("STILLHOUSE_BASE_URL", "https://x/v1")
    return calls


def run(*arguments):
    return CliRunner().invoke(cli.app, ["costs", *arguments])


def test_a_month_is_shown_with_what_is_left(asked):
    lines = run("show").stdout.splitlines()
    assert lines[0] == "2026-11: $3.50"
    assert "2 without a known cost" in lines[2]
    assert lines[3:] == ["  cap $10.00, left $6.50", "models that lost are retired after 30 days"]
    assert json.loads(run("show", "--month", "2026-10", "--json").stdout) == COSTS
    assert asked == [("GET", "/costs", None), ("GET", "/costs?month=2026-10", None)]


def test_limits_are_set_and_taken_away(asked):
    for arguments in (("cap", "12.5"), ("cap",), ("retire-lost", "30"), ("retire-lost",)):
        assert run(*arguments).stdout.splitlines()[-1] == "models that lost are kept"
    assert [body for _, _, body in asked] == [
        {"monthly_cap_usd": 12.5},
        {"monthly_cap_usd": None},
        {"retire_lost_after_days": 30},
        {"retire_lost_after_days": None},
    ]
    assert run("cap", "-1").exit_code == 2
