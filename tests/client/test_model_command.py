"""`stillhouse model`: what is asked of Stillhouse, and what a person reads."""

import json

import pytest
from typer.testing import CliRunner

from stillhouse import asking, cli

MODEL = {"id": "triage-1", "object": "model", "base": "Qwen/Qwen3-0.6B", "job_id": "ftjob-1", "retired_at": None}


@pytest.fixture
def asked(monkeypatch):
    calls = []

    def answer(_, method, path, body=None):
        calls.append((method, path, body))
        if path == "/models" and method == "GET":
            return {"data": [MODEL, {"id": "gpt-4o", "object": "model"}, {**MODEL, "id": "old", "retired_at": 1}]}
        return {"id": "triage-1", "object": "model", "deleted": True} if method == "DELETE" else MODEL

    monkeypatch.setattr(asking, "asked", answer)
    monkeypatch.setenv("STILLHOUSE_BASE_URL", "https://x/v1")
    return calls


def run(*arguments):
    return CliRunner().invoke(cli.app, ["model", *arguments])


def test_a_model_is_named_for_its_job_and_its_key_comes_from_the_environment(asked, monkeypatch):
    monkeypatch.setenv("GPU_KEY", "sk-gpu")
    options = "--base Qwen/Qwen3-0.6B --url https://gpu/v1 --job ftjob-1 --key-env GPU_KEY"
    result = run("add", "triage-1", *options.split())
    assert result.exit_code == 0
    body = {"id": "triage-1", "base": "Qwen/Qwen3-0.6B", "url": "https://gpu/v1", "job_id": "ftjob-1"}
    assert asked == [("POST", "/models", {**body, "api_key": "sk-gpu"})]
    assert "id: triage-1" in result.stdout


def test_a_variable_that_is_not_set_stops_before_anything_is_asked(asked):
    result = run("add", "m", "--base", "b", "--key-env", "NOT_THERE")
    assert (result.exit_code, asked) == (1, [])
    assert "NOT_THERE is not set" in result.stderr


@pytest.mark.usefixtures("asked")
def test_the_list_has_what_was_trained_alone():
    lines = run("list").stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [["triage-1", "answers"], ["old", "retired"]]
    assert [model["id"] for model in json.loads(run("list", "--json").stdout)] == ["triage-1", "old"]


def test_a_model_is_kept_or_no_longer(asked):
    assert run("keep", "triage-1").exit_code == 0
    assert run("keep", "triage-1", "--no-keep").exit_code == 0
    assert [body for _, _, body in asked] == [{"keep": True}, {"keep": False}]


def test_what_costs_while_nobody_asks_is_a_line_each(monkeypatch):
    shown = {"id": "m", "idle_cost": "by_the_hour", "usd_per_month": 1095.0, "last_asked_at": 1790000000, "lost_at": 1}
    new = {"id": "n", "idle_cost": "nothing", "usd_per_month": None, "last_asked_at": None, "lost_at": None}
    monkeypatch.setattr(asking, "asked", lambda *_: {"data": [shown, new]})
    monkeypatch.setenv("STILLHOUSE_BASE_URL", "https://x/v1")
    assert run("idle").stdout.splitlines() == [
        "m  by the hour, $1095.00 a month  last asked 2026-09-21 14:13:20  lost its verdict",
        "n  nothing, price not known  never asked",
    ]


def test_a_name_with_slashes_and_colons_reaches_its_route(asked):
    run("show", "ft:a/b")
    assert run("retire", "ft:a/b").stdout == "retired: triage-1\n"
    assert asked == [("GET", "/models/ft%3Aa%2Fb", None), ("DELETE", "/models/ft%3Aa%2Fb", None)]
