"""`stillhouse doctor`: whether a deployed Stillhouse is well, and dead letters put back.

In: Stillhouse's URL and a key with the scope `admin`. Out: a line a finding, or JSON with --json. The exit code is 0
where nothing is wrong, warnings or not, and 3 where something is.
"""

from __future__ import annotations

from typing import Annotated

import typer

from stillhouse import stack
from stillhouse.checked import checks
from stillhouse.importing.terminal import To, errors_in_one_line
from stillhouse.stack import AsJson

_WRONG_CODE = 3


def doctor(
    *,
    to: To,
    ask_providers: Annotated[
        bool, typer.Option("--ask-providers", help="Ask each provider one short question, which costs a few tokens.")
    ] = False,
    redrive: Annotated[
        str | None, typer.Option(metavar="QUEUE", help="Put the dead letters of this queue back into it, and no more.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Look at a deployed stack: address, clock, queues and dead letters, open work, alarms, providers."""
    with errors_in_one_line():
        if redrive:
            moved = checks.redriven(to, redrive)
            stack.show(moved, as_json=as_json, lines=[f"{redrive}: {moved['status'].lower()}, {moved['moved']} so far"])
            return
        found = []
        for finding in checks.findings(to, ask_providers=ask_providers):
            found.append(finding)
            if not as_json:
                typer.echo(_line(finding))
        if as_json:
            typer.echo(stack.written([finding._asdict() for finding in found]))
    if any(finding.state == "wrong" for finding in found):
        raise typer.Exit(_WRONG_CODE)


def _line(finding: checks.Finding) -> str:
    remedy = f"\n       -> {finding.remedy}" if finding.remedy else ""
    return stack.plain(f"{finding.state:<5}  {finding.check}: {finding.says}{remedy}")
