"""The `stillhouse` command as somebody uses it at the deployed stack, and which of its commands were run.

Every request is real; only the process is the test's own, since starting Python a hundred times would take minutes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner, Result

from local.stack.info import StackInfo
from stillhouse import cli

type Path = tuple[str, ...]
"""The words of a command: `("alias", "set")`."""


@dataclass
class User:
    """Somebody at a terminal."""

    ran: set[Path] = field(default_factory=set)

    def run(self, *words: str, code: int = 0, types: str | None = None) -> Result:
        """Run the command with these words and what is typed; it must end with this exit code."""
        ended = CliRunner().invoke(cli.app, list(words), input=types)
        assert ended.exit_code == code, (words, ended.output, ended.exception)
        self.ran.add(path_of(words))
        return ended

    def lines(self, *words: str, code: int = 0, types: str | None = None) -> list[str]:
        """What a person reads on standard output."""
        return self.run(*words, code=code, types=types).stdout.splitlines()

    def said(self, *words: str, code: int = 0, types: str | None = None) -> Any:
        """What a program reads."""
        return json.loads(self.run(*words, "--json", code=code, types=types).stdout)


def at(stack: StackInfo, patch: pytest.MonkeyPatch) -> User:
    """A user whose environment says where the stack is, as `make local-env` does."""
    patch.setenv("STILLHOUSE_BASE_URL", stack.api_url)
    patch.setenv("STILLHOUSE_API_KEY", stack.api_key)
    return User()


def every_command() -> set[Path]:
    """All commands that the application has, those of its groups too."""
    return set(_below(get_command(cli.app), ()))


def path_of(words: tuple[str, ...]) -> Path:
    """The command among the words, without what it is given."""
    command: Any = get_command(cli.app)
    path: Path = ()
    while isinstance(command, TyperGroup):
        word = words[len(path)]
        command, path = command.commands[word], (*path, word)
    return path


def _below(command: Any, path: Path) -> list[Path]:
    if not isinstance(command, TyperGroup):
        return [path]
    return [leaf for name, inner in command.commands.items() for leaf in _below(inner, (*path, name))]
