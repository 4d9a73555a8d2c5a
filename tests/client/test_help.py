"""The help of every command suffices: each argument and option is explained, names are told, examples can be run."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from distillations.formats import FORMATS
from distillations.trainers import TRAINERS
from notifications.event_types import EVENT_TYPES
from stillhouse import cli, named

ROOT = get_command(cli.app)
EXAMPLE = "Example: stillhouse "


def every(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Each command with its words."""
    yield " ".join(path), command
    if isinstance(command, TyperGroup):
        for name, inner in command.commands.items():
            yield from every(inner, (*path, name))


COMMANDS = dict(every(ROOT, ("stillhouse",)))
EXAMPLES = {
    path: line.removeprefix(EXAMPLE)
    for path, command in COMMANDS.items()
    for line in (command.epilog or "").splitlines()
    if line.startswith(EXAMPLE)
}


@pytest.mark.parametrize("path", COMMANDS)
def test_each_argument_and_option_is_explained(path: str) -> None:
    assert COMMANDS[path].help
    unexplained = [parameter.name for parameter in COMMANDS[path].params if not parameter.help]
    assert unexplained == []


@pytest.mark.parametrize("path", EXAMPLES)
def test_an_example_is_a_command_that_can_be_run(path: str) -> None:
    words = ["stillhouse", *shlex.split(EXAMPLES[path])]
    assert words[: len(path.split())] == path.split()
    # Parsing asks nobody, and fails as the command would: an unknown option, one that is missing, a wrong value.
    COMMANDS[path].make_context(path, [*words[len(path.split()) :], "--to", "https://x/v1"])


def test_names_are_those_that_stillhouse_knows() -> None:
    assert named.EVENTS.split(", ") == list(EVENT_TYPES)
    assert named.TRAINERS.split(", ") == list(TRAINERS)
    assert named.FORMATS.split(", ") == list(FORMATS)
