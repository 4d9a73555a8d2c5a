"""What who installs the client gets: the wrapper alone needs two packages, the command its extra."""

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

CLIENT = Path(__file__).parents[2] / "client"
WITHOUT_THE_EXTRA = "import sys; sys.modules |= {'rich': None, 'typer': None, 'boto3': None, 'yaml': None}; "
# What the newest releases of these clients resolve to or pin, on 2026-11-28. `test_resolves` asks the index anew.
BESIDE = {
    "crewai 1.15.30": {"openai": "2.54.0", "pydantic": "2.12.5", "rich": "14.3.4", "typer": "0.29.2"},
    "instructor 1.17.0": {"openai": "3.3.0", "pydantic": "2.14.4", "rich": "14.3.4", "typer": "0.29.2"},
    "langchain-openai 1.7.4": {"openai": "3.57.0", "pydantic": "2.14.4"},
    "litellm 1.108.7": {"openai": "3.57.0", "pydantic": "2.14.4", "rich": "13.9.4"},
    "llama-index 0.14.25": {"openai": "2.54.0", "pydantic": "2.14.4"},
    "openai-agents 0.24.0": {"openai": "3.57.0", "pydantic": "2.14.4"},
    "pydantic-ai 2.62.0": {"openai": "3.57.0", "pydantic": "2.14.4", "rich": "15.0.0"},
}


def run(script):
    environment = {**os.environ, "PYTHONPATH": str(CLIENT)}
    command = [sys.executable, "-c", WITHOUT_THE_EXTRA + script]
    return subprocess.run(command, env=environment, capture_output=True, check=False)


def requirements():
    return [Requirement(text) for text in importlib.metadata.requires("stillhouse") or ()]


def test_the_wrapper_needs_neither_rich_nor_typer():
    assert run("from stillhouse import capture; print(capture.__name__)").stdout == b"capture\n"


def test_the_command_without_its_extra_says_what_to_install():
    ended = run("from stillhouse.command import main; main()")
    assert ended.returncode == 1
    [line] = ended.stderr.decode().splitlines()
    assert line.startswith("error: the command needs ")
    assert line.endswith(": pip install 'stillhouse[cli]'")


def test_a_package_of_our_own_that_is_missing_is_no_missing_extra():
    ended = run("sys.modules['stillhouse.cli'] = None; from stillhouse.command import main; main()")
    assert b"ModuleNotFoundError" in ended.stderr


def test_the_wrapper_stands_on_two_packages():
    assert {needed.name for needed in requirements() if needed.marker is None} == {"openai", "pydantic"}


@pytest.mark.parametrize("client", sorted(BESIDE))
def test_wrapper_and_command_take_the_versions_that_a_client_pins(client):
    for needed in requirements():
        version = BESIDE[client].get(needed.name)
        assert version is None or needed.specifier.contains(version), f"{client} comes with {needed.name} {version}"
