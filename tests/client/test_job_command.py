"""`stillhouse job`: what is asked of Stillhouse, and what a person reads."""

import json

import pytest
from typer.testing import CliRunner

from stillhouse import asking, cli

JOB = {
    "id": "ftjob-1",
    "object": "fine_tuning.job",
    "status": "running",
    "state": "deploying",
    "trainer": "bedrock",
    "model": "amazon.nova-lite-v1:0",
    "fine_tuned_model": None,
    "integrations": [],
}
EVENTS = [
    {"id": f"ftevent-{number}", "created_at": 1_790_000_000 + number, "level": "info", "message": f"step {number}"}
    for number in range(3)
]


@pytest.fixture
def asked(monkeypatch):
    calls = []

    def answer(_, method, path, body=None):
        calls.append((method, path, body))
        if "/events?" in path:
            rest = EVENTS[:1] if "after=" in path else EVENTS[:0:-1]
            return {"data": rest, "has_more": "after=" not in path, "last_id": rest[-1]["id"]}
        if "?" in path:
            return {"data": [{**JOB, "id": f"ftjob-{number}"} for number in range(3)], "has_more": False}
        return JOB

    monkeypatch.setattr(asking, "asked", answer)
    monkeypatch.setenv("STILLHOUSE_BASE_URL", "https://x/v1")
    return calls


def run(*arguments):
    return CliRunner().invoke(cli.app, ["job", *arguments])


@pytest.mark.usefixtures("asked")
def test_the_list_has_as_many_as_were_asked_for():
    lines = run("list", "--limit", "2").stdout.splitlines()
    assert lines == [f"ftjob-{number}  deploying  bedrock  base amazon.nova-lite-v1:0  model -" for number in range(2)]
    assert [job["id"] for job in json.loads(run("list", "--json").stdout)] == ["ftjob-0", "ftjob-1", "ftjob-2"]


def test_a_job_is_shown_without_what_it_has_not(asked):
    lines = run("show", "ftjob-1").stdout.splitlines()
    assert "state: deploying" in lines
    assert not any(line.startswith(("fine_tuned_model", "integrations", "object")) for line in lines)
    assert json.loads(run("cancel", "ftjob-1", "--json").stdout) == JOB
    assert asked == [("GET", "/fine_tuning/jobs/ftjob-1", None), ("POST", "/fine_tuning/jobs/ftjob-1/cancel", None)]


@pytest.mark.usefixtures("asked")
def test_events_come_oldest_first_over_all_pages():
    lines = run("events", "ftjob-1").stdout.splitlines()
    assert lines == [f"2026-09-21 14:13:2{number}  info  step {number}" for number in range(3)]
    assert [event["id"] for event in json.loads(run("events", "ftjob-1", "--json").stdout)] == [
        event["id"] for event in EVENTS
    ]
