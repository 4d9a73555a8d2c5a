"""`stillhouse job list|show|events|cancel`: the fine-tuning jobs, those of distillations among them.

In: Stillhouse's URL and a key from the environment. Out: lines for people, or JSON with --json. The exit code is 1
where Stillhouse refuses or cannot be reached.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

import typer

from stillhouse.importing.terminal import To, errors_in_one_line

app = typer.Typer(no_args_is_help=True, help="List, show, follow and cancel fine-tuning jobs.")

Id = Annotated[str, typer.Argument(help="The job's id, as ftjob-…")]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON, for programs.")]


@app.command("list")
def list_(
    *,
    to: To,
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the newest jobs."""
    with errors_in_one_line():
        jobs = [job for job, _ in zip(_every(to, "/fine_tuning/jobs"), range(limit), strict=False)]
        if as_json:
            typer.echo(json.dumps(jobs, indent=2))
        for job in [] if as_json else jobs:
            made = job["fine_tuned_model"] or "-"
            typer.echo(f"{job['id']}  {job['state']}  {job['trainer']}  base {job['model']}  model {made}")


@app.command()
def show(job_id: Id, *, to: To, as_json: AsJson = False) -> None:
    """Show one job."""
    with errors_in_one_line():
        _show(_asked(to, "GET", _path(job_id)), as_json=as_json)


@app.command()
def events(job_id: Id, *, to: To, as_json: AsJson = False) -> None:
    """Show what happened to a job, the oldest first."""
    with errors_in_one_line():
        told = list(_every(to, f"{_path(job_id)}/events"))[::-1]
        if as_json:
            typer.echo(json.dumps(told, indent=2))
        for event in [] if as_json else told:
            at = datetime.fromtimestamp(event["created_at"], UTC).strftime("%Y-%m-%d %H:%M:%S")
            typer.echo(f"{at}  {event['level']}  {event['message']}")


@app.command()
def cancel(job_id: Id, *, to: To, as_json: AsJson = False) -> None:
    """Cancel a job; it has ended once its status says so."""
    with errors_in_one_line():
        _show(_asked(to, "POST", f"{_path(job_id)}/cancel"), as_json=as_json)


def _every(*arguments: Any) -> Iterator[dict[str, Any]]:
    from stillhouse.asking import every

    return every(*arguments)


def _asked(*arguments: Any) -> dict[str, Any]:
    # The command line starts without the openai SDK, which is slow to import.
    from stillhouse.asking import asked

    return asked(*arguments)


def _path(job_id: str) -> str:
    return f"/fine_tuning/jobs/{quote(job_id, safe='')}"


def _show(job: dict[str, Any], *, as_json: bool) -> None:
    shown = {name: value for name, value in job.items() if value not in (None, [], {}) and name != "object"}
    typer.echo(json.dumps(job, indent=2) if as_json else "\n".join(f"{name}: {value}" for name, value in shown.items()))
