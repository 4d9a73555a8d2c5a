"""`stillhouse import openai-evals` and `promptfoo`: the command line of the importers of evals.

In: a source and its options. Out: a bar on standard error, the report on standard output. Exit code 1 where the import
stopped, or, with --strict, where something did not come over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from stillhouse.importing.terminal import RETRIES, Strict, To, key_of, told_in_a_line

if TYPE_CHECKING:
    from stillhouse.importing.evals.origin import Origin
    from stillhouse.importing.evals.receiver import Receiver
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
    with told_in_a_line():
        from stillhouse.importing.evals.openai_evals import Options, carry

        receiver = _receiver(to)
        origin = _exported(files, only) if files else _evals_api(base_url, only)
        with _evals_bar() as told:
            report = carry(origin, receiver, Options(grades, judge, wait), told=told)
    _tell(report, strict=strict)


def promptfoo(
    config: Annotated[Path, typer.Argument(help="promptfooconfig.yaml; the files it names lie beside it.")],
    *,
    to: To,
    judge: Judge = None,
    run: Annotated[bool, typer.Option("--run", help="Start the runs, which ask the models and cost.")] = False,
    strict: Strict = False,
) -> None:
    """A Promptfoo config as an eval, its rows, and its runs."""
    with told_in_a_line():
        from stillhouse.importing.promptfoo.carry import carry

        report = carry(config, _receiver(to), judge=judge, run=run)
    _tell(report, strict=strict)


def _receiver(to: str) -> Receiver:
    from openai import OpenAI

    from stillhouse.importing.evals.receiver import Receiver

    return Receiver(OpenAI(base_url=to.rstrip("/"), api_key=key_of("STILLHOUSE_API_KEY"), max_retries=RETRIES))


def _evals_api(base_url: str | None, only: list[str] | None) -> Origin:
    from openai import OpenAI, OpenAIError

    from stillhouse.importing.evals.openai_api import ApiOrigin
    from stillhouse.importing.source import Stopped

    try:
        return ApiOrigin(OpenAI(base_url=base_url, max_retries=RETRIES), frozenset(only or ()))
    except OpenAIError as error:
        raise Stopped(str(error)) from None


def _exported(files: Path, only: list[str] | None) -> Origin:
    from stillhouse.importing.evals.exported import ExportedOrigin

    return ExportedOrigin(files, frozenset(only or ()))


@contextmanager
def _evals_bar() -> Iterator[Callable[[Report], None]]:
    from stillhouse.importing.report import bar

    with bar() as shown:
        yield lambda report: shown(report.so_far, None)


def _tell(report: Report, *, strict: bool) -> None:
    typer.echo(report.summary())
    raise typer.Exit(int(strict and bool(report.left)))
