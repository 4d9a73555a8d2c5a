"""What all import commands share: where to, the keys, and how a stopped import is told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

RETRIES = 8

To = Annotated[str, typer.Option("--to", envvar="STILLHOUSE_BASE_URL", help="Stillhouse's API, up to /v1.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 if anything did not come over.")]


@contextmanager
def told_in_a_line() -> Iterator[None]:
    """What stops an import ends the command."""
    from stillhouse.importing.source import Stopped

    try:
        yield
    except (Stopped, OSError) as stopped:
        typer.echo(f"error: {stopped}", err=True)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        typer.echo("stopped: the same command goes on where it was", err=True)
        raise typer.Exit(130) from None


def key_of(variable: str) -> str:
    """The key in the environment. Raises Stopped where there is none."""
    from stillhouse.importing.source import Stopped

    key = os.environ.get(variable)
    if not key:
        raise Stopped(f"{variable} is not set")
    return key
