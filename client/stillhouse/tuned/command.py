"""`stillhouse job list|show|events|cancel`: the fine-tuning jobs, those of distillations among them.

In: Stillhouse's URL and a key. Out: lines for people, or JSON with --json. The exit code is 1 where Stillhouse refuses
or cannot be reached.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from stillhouse import stack
from stillhouse.importing.terminal import To, errors_in_one_line
from stillhouse.stack import AsJson, Limit

app = typer.Typer(no_args_is_help=True, help="List, show and cancel fine-tuning jobs; `stillhouse watch` follows one.")

Id = Annotated[str, typer.Argument(help="The job's id, as ftjob-…")]


@app.command("list")
def list_(*, to: To, limit: Limit = 20, as_json: AsJson = False) -> None:
    """List the newest jobs."""
    with errors_in_one_line():
        stack.show_list(stack.every(to, "/fine_tuning/jobs"), _line, limit=limit, as_json=as_json)


@app.command()
def show(job_id: Id, *, to: To, as_json: AsJson = False) -> None:
    """Show one job."""
    with errors_in_one_line():
        stack.show(stack.asked(to, "GET", _path(job_id)), as_json=as_json)


@app.command()
def events(job_id: Id, *, to: To, as_json: AsJson = False) -> None:
    """Show what happened to a job, the oldest first."""
    with errors_in_one_line():
        oldest_first = list(stack.every(to, f"{_path(job_id)}/events"))[::-1]
        stack.show_list(oldest_first, _event, limit=None, as_json=as_json)


@app.command()
def cancel(job_id: Id, *, to: To, as_json: AsJson = False) -> None:
    """Cancel a job; it has ended once its status says so."""
    with errors_in_one_line():
        stack.show(stack.asked(to, "POST", f"{_path(job_id)}/cancel"), as_json=as_json)


def _path(job_id: str) -> str:
    return stack.place("fine_tuning", "jobs", job_id)


def _line(job: dict[str, Any]) -> str:
    made = job["fine_tuned_model"] or "-"
    return f"{job['id']}  {job['state']}  {job['trainer']}  base {job['model']}  model {made}"


def _event(event: dict[str, Any]) -> str:
    return f"{stack.at(event['created_at'])}  {event['level']}  {event['message']}"
