"""`stillhouse provider` against the real handlers: what people see, what programs get, and where the key is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from foundation import aws
from providers import registry
from stillhouse import cli
from tests.client.deployed import Deployed
from tests.client.doubles import served
from tests.flow.system import KEY, System

type Command = Callable[..., Result]


@pytest.fixture
def provider(system: System, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """`stillhouse provider` with these words, at the deployed system."""
    registry.forget()
    monkeypatch.setenv("ALPHA_KEY", "sk-alpha-1")
    monkeypatch.setenv("STILLHOUSE_API_KEY", KEY)
    with served(Deployed(system)) as url:
        monkeypatch.setenv("STILLHOUSE_BASE_URL", url)

        def run(*words: str, **how: Any) -> Result:
            return CliRunner().invoke(cli.app, ["provider", *words], **how)

        yield run
    registry.forget()


def test_what_signs_its_webhooks_comes_from_the_environment(provider: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = f"whsec_{'a' * 32}"
    monkeypatch.setenv("ALPHA_WEBHOOKS", secret)
    added = provider("add", "alpha", "--base-url", "https://alpha.example/v1", "--webhook-secret-env", "ALPHA_WEBHOOKS")
    assert "webhook_url: https://api.test/v1/hooks/alpha" in added.output.splitlines()
    assert "has_webhook_secret: True" in added.output.splitlines()
    without = provider("webhooks", "alpha", "--none", "--json")
    assert json.loads(without.output)["has_webhook_secret"] is False
    again = provider("webhooks", "alpha", "--secret-env", "ALPHA_WEBHOOKS")
    assert (again.exit_code, secret in added.output + again.output) == (0, False)
    for neither in ([], ["--none", "--secret-env", "ALPHA_WEBHOOKS"]):
        assert provider("webhooks", "alpha", *neither).exit_code == 1


def test_the_life_of_a_provider(provider: Command, system: System, tmp_path: Path) -> None:
    prices = tmp_path / "prices.json"
    prices.write_text('{"as_of": "2026-11", "models": {"lab-small": {"input": "0.1", "output": "0.4"}}}')
    limits = ["--requests-per-second", "2.5", "--concurrency", "7", "--prices", str(prices)]
    terms = ["--trains-others", "yes", "--note", "ours"]
    at_lab = ["--base-url", f"{system.lab}/v1", "--model", "lab-small", "--model", "lab-large"]
    added = provider("add", "lab", *at_lab, "--key-env", "ALPHA_KEY", *limits, *terms)
    assert added.exit_code == 0, added.output
    assert "models: lab-small, lab-large" in added.output.splitlines()
    assert "trains_others: yes" in added.output.splitlines()
    assert "sk-alpha-1" not in added.output

    shown = json.loads(provider("show", "lab", "--json").output)
    assert (shown["requests_per_second"], shown["concurrency"], shown["has_key"]) == (2.5, 7, True)
    assert shown["prices"]["models"]["lab-small"]["output"] == "0.4"

    seen = provider("test", "lab")
    assert (seen.exit_code, seen.output.startswith("ok: lab-small answered in ")) == (0, True)
    missing = provider("test", "lab", "--model", "none", "--json")
    assert (missing.exit_code, json.loads(missing.output)["status"]) == (1, 404)
    assert provider("test", "lab", "--model", "none").output.startswith("failed: none: 404 model_not_found: ")

    assert provider("remove", "lab").output == "removed: lab\n"
    assert [one["id"] for one in json.loads(provider("list", "--json").output)] == ["default"]


def test_a_key_comes_from_standard_input_too(provider: Command) -> None:
    url = ["--base-url", "https://alpha.example/v1"]
    added = provider("add", "alpha", *url, "--key-stdin", "--no-responses", "--json", input="sk-typed\n")
    assert json.loads(added.output)["responses"] is False
    secrets = [one["Name"] for one in aws.secretsmanager().list_secrets()["SecretList"] if "alpha" in one["Name"]]
    assert [aws.secretsmanager().get_secret_value(SecretId=name)["SecretString"] for name in secrets] == ["sk-typed"]


def test_a_list_for_people_has_a_line_each(provider: Command) -> None:
    assert provider("add", "nova", "--kind", "bedrock", "--region", "us-west-2", "--model", "m").exit_code == 0
    lines = provider("list").output.splitlines()
    assert [line.split()[:4] for line in lines[1:]] == [
        ["default", "openai", "template", "no"],
        ["nova", "bedrock", "api", "no"],
    ]
    assert "us-west-2" in lines[2]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add", "alpha"], "error: 400: Missing required parameter: 'base_url'."),
        (
            ["add", "alpha", "--kind", "bedrock", "--model", "m", "--key-env", "ALPHA_KEY"],
            "error: 400: Invalid 'api_key'",
        ),
        (["add", "alpha", "--key-env", "NOT_SET"], "error: NOT_SET is not set"),
        (["add", "alpha", "--key-env", "ALPHA_KEY", "--key-stdin"], "error: give --key-env or --key-stdin"),
        (["show", "none"], "error: 404: No provider found with id 'none'."),
        (["remove", "default"], "error: 409: The provider 'default' is one of the template"),
    ],
)
def test_what_is_refused_is_one_line(provider: Command, words: list[str], said: str) -> None:
    done = provider(*words)
    assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1)
    assert done.stderr.startswith(said)
    assert "sk-alpha-1" not in done.stderr


def test_prices_that_are_no_json_and_a_stillhouse_that_is_away(
    provider: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "prices.json"
    file.write_text("no")
    assert "is no JSON" in provider("add", "alpha", "--prices", str(file)).stderr
    monkeypatch.setattr("stillhouse.asking._RETRIES", 0)
    monkeypatch.setenv("STILLHOUSE_BASE_URL", "http://127.0.0.1:9/v1")
    assert provider("list").stderr.startswith("error: Stillhouse cannot be reached")
    monkeypatch.delenv("STILLHOUSE_API_KEY")
    assert provider("list").stderr.startswith("error: STILLHOUSE_API_KEY is not set")
