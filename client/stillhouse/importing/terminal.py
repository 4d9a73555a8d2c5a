"""What all import commands share: options, keys from the environment, and how an import that stopped is reported."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from stillhouse import login
from stillhouse.importing.stopped import Stopped

RETRIES = 8


def _of_the_login() -> str:
    try:
        return login.address()
    except Stopped as stopped:
        raise typer.BadParameter(str(stopped)) from None


To = Annotated[
    str,
    typer.Option(
        "--to",
        envvar="STILLHOUSE_BASE_URL",
        default_factory=_of_the_login,
        show_default="that of `stillhouse login`",
        help="Stillhouse's API, up to /v1.",
    ),
]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 if anything did not come over.")]


@contextmanager
def errors_in_one_line() -> Iterator[None]:
    """End the command with one line on standard error if the import stops (exit code 1) or the user stops it (130)."""
    try:
        yield
    except (Stopped, OSError) as stopped:
        typer.echo(f"error: {stopped}", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.echo("stopped: the same command goes on where it was", err=True)
        raise typer.Exit(130) from None


def key_of(variable: str) -> str:
    """The key in this environment variable. Raises Stopped if it is not set."""
    key = os.environ.get(variable)
    if not key:
        raise Stopped(f"{variable} is not set")
    return key
