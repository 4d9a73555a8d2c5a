"""What `make build` and `make deploy` ask of the SAM CLI: `make -n` says it without doing it."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib

import pytest

from tests.template.loading import ROOT


def asked(*arguments: str) -> dict[str, str]:
    """The command lines of `sam build` and `sam deploy`, by verb."""
    # What the make that runs the tests was given is not for this one.
    env = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKEOVERRIDES", "ARGS"}}
    done = subprocess.run(["make", "-n", *arguments], cwd=ROOT, capture_output=True, text=True, check=True, env=env)
    return dict(re.findall(r"^.*\bsam (build|deploy) (.*)$", done.stdout, re.MULTILINE))


def overrides(line: str) -> list[str]:
    return re.sub(r".*--parameter-overrides", "", line).split()


@pytest.mark.parametrize(
    ("parameters", "given"),
    [
        ("", ["Architecture=arm64"]),
        ("NotifyEmail=a@example.com", ["Architecture=arm64", "NotifyEmail=a@example.com"]),
        ("Architecture=x86_64 RecordWindow=5", ["Architecture=x86_64", "RecordWindow=5"]),
    ],
)
def test_what_is_built_is_what_is_deployed(parameters: str, given: list[str]) -> None:
    commands = asked("deploy", f"PARAMETERS={parameters}")
    assert overrides(commands["build"]) == overrides(commands["deploy"]) == given


def test_stack_and_region_are_arguments() -> None:
    commands = asked("deploy", "ENV=prod", "STACK=mine", "REGION=eu-west-1")
    assert "--config-env prod --stack-name mine --region eu-west-1 " in commands["deploy"]
    assert "--stack-name" not in asked("deploy")["deploy"]


def test_nothing_asks_back() -> None:
    settings = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    for name in ("local", "dev", "prod"):
        assert settings[name]["deploy"]["parameters"]["confirm_changeset"] is False
        assert settings[name]["deploy"]["parameters"]["language_extensions"] is True


def test_functions_that_share_their_code_are_built_and_uploaded_once() -> None:
    """SAM builds each folder of code once where it may, and uploads what is built once alike by its hash.

    What a function has of its own, such as metadata of its build, would make a bundle of its own.
    """
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    assert re.findall(r"^ +CodeUri: (.*)$", text, re.MULTILINE) == ["services/", "sandbox/"]
    assert "BuildMethod" not in text
    assert "SAM_CLI_BETA_BUILD_PERFORMANCE=1" in (ROOT / "Makefile").read_text(encoding="utf-8")
