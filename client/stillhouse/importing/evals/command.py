"""`stillhouse import openai-evals` and `promptfoo`: the command line of the importers of evals.

In: a source and its options. Out: a bar on standard error, the report on standard output. The exit code is 1 if
the import stopped, or, with --strict, if something did not come over.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from stillhouse.importing.terminal import Strict, To, errors_in_one_line

if TYPE_CHECKING:
    from stillhouse.importing.evals.report import Report

Judge = Annotated[str | None, typer.Option(help="The judge of criteria whose own is not known, or not named.")]


def openai_evals(
    *,
    to: To,
    files: Annotated[
        Path | None, typer.Option("--from", help="Files of its answers or its dashboard's export, instead of the API.")
    ] = None,
    base_url: Annotated[str | None, typer.Option(envvar="OPENAI_BASE_URL", help="Of any server with this API.")] = None,
    only: Annotated[list[str] | None, typer.Option("--eval", help="Only this eval; may be repeated.")] = None,
    grades: Annotated[
        Literal["judged", "all", "none"],
        typer.Option(help="Which recorded grades stand: of criteria that ask a model, all, none."),
    ] = "judged",
    judge: Judge = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the grading, to compare it with OpenAI's.")] = 600,
    strict: Strict = False,
) -> None:
    """OpenAI's evals with their runs and grades; the key is OPENAI_API_KEY."""
    with errors_in_one_line():
        report = _carrying().from_openai(to, files, base_url, only, grades=grades, judge=judge, wait=wait)
    _print(report, strict=strict)


def promptfoo(
    config: Annotated[Path, typer.Argument(help="promptfooconfig.yaml; the files it names lie beside it.")],
    *,
    to: To,
    judge: Judge = None,
    run: Annotated[bool, typer.Option("--run", help="Start the runs, which ask the models and cost.")] = False,
    strict: Strict = False,
) -> None:
    """A Promptfoo config as an eval, its rows, and its runs."""
    with errors_in_one_line():
        report = _carrying().from_promptfoo(to, config, judge=judge, run=run)
    _print(report, strict=strict)


def _carrying() -> Any:
    """The module that does the work, imported when a command is run: no help text waits for the openai SDK."""
    from stillhouse.importing.evals import carrying

    return carrying


def _print(report: Report, *, strict: bool) -> None:
    typer.echo(report.summary())
    raise typer.Exit(int(strict and bool(report.left)))
