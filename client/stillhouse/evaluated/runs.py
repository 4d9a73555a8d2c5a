"""`stillhouse run list|create|show|rows|cancel` and `stillhouse compare`: an eval over rows, and two of them.

In: Stillhouse's URL and a key. Out: lines for people, or JSON with --json. The exit code is 1 where Stillhouse refuses
or cannot be reached, and 3 where a run that was waited for has failed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from stillhouse import stack, watched
from stillhouse.captured import chosen
from stillhouse.importing.stopped import Stopped
from stillhouse.importing.terminal import To, errors_in_one_line
from stillhouse.stack import AsJson, Limit
from stillhouse.wording import counted

app = typer.Typer(no_args_is_help=True, help="Start, list, show and cancel the runs of evals.")

_UUID = re.compile(r"-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")

EvalId = Annotated[str, typer.Argument(help="The eval's id, as eval_…")]
Id = Annotated[str, typer.Argument(help="The run's id, as evalrun_…")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it has ended, and show what came out.")]


@app.command("list")
def list_(eval_id: EvalId, *, to: To, limit: Limit = 20, as_json: AsJson = False) -> None:
    """List the newest runs of an eval."""
    with errors_in_one_line():
        newest = stack.every(to, stack.place("evals", eval_id, "runs"), {"order": "desc"})
        stack.show_list(newest, line, limit=limit, as_json=as_json)


@app.command(epilog="Example: stillhouse run create eval_1 --tag split=test --model gpt-4.1-nano")
def create(
    eval_id: EvalId,
    *,
    to: To,
    tag: chosen.Tags = None,
    of_model: Annotated[str | None, typer.Option(help="Only rows that this model answered.")] = None,
    model: Annotated[
        str | None, typer.Option(help="Have this model answer the rows anew; else their captured answers are graded.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="For people.")] = None,
    file: Annotated[
        Path | None,
        typer.Option(help="A JSON file with a `data_source` as POST /v1/evals/…/runs takes it, instead of --tag."),
    ] = None,
    wait: Wait = True,
    as_json: AsJson = False,
) -> None:
    """Grade captured completions, or what a model answers to their inputs."""
    with errors_in_one_line():
        if bool(file) == bool(tag):
            raise Stopped("say which rows: --tag key=value, or --file with a data_source")
        rows = stack.document(file) if file else {"type": "completions", "source": chosen.source(tag or (), of_model)}
        body = {"name": name or "from the command line", "data_source": {**rows, "model": model} if model else rows}
        run = stack.asked(to, "POST", stack.place("evals", eval_id, "runs"), body)
        ended = watched.until_ended(to, run["id"], _path(eval_id, run["id"])) if wait else run
        stack.show(ended, as_json=as_json, lines=whole(ended))
    if ended["status"] in watched.FAILED:
        raise typer.Exit(watched.FAILED_CODE)


@app.command()
def show(run_id: Id, *, to: To, as_json: AsJson = False) -> None:
    """Show one run: how many rows passed, by criterion, with intervals."""
    with errors_in_one_line():
        run = stack.asked(to, "GET", _path(eval_of(to, run_id), run_id))
        stack.show(run, as_json=as_json, lines=whole(run))


@app.command()
def rows(
    run_id: Id,
    *,
    to: To,
    failed: Annotated[bool, typer.Option("--failed", help="Only rows that did not pass.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="How many; else all.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the rows of a run with their grades; with --json one object a line."""
    with errors_in_one_line():
        path = f"{_path(eval_of(to, run_id), run_id)}/output_items"
        for row in islice(stack.every(to, path, {"status": "fail"} if failed else None), limit):
            typer.echo(json.dumps(row) if as_json else _row(row))


@app.command()
def cancel(run_id: Id, *, to: To, as_json: AsJson = False) -> None:
    """Cancel a run; what it has graded stays."""
    with errors_in_one_line():
        run = stack.asked(to, "POST", f"{_path(eval_of(to, run_id), run_id)}/cancel")
        stack.show(run, as_json=as_json, lines=[line(run)])


def compare(
    run_id: Id,
    baseline_id: Annotated[str, typer.Argument(help="The run to hold it against, of the same eval.")],
    *,
    to: To,
    group_by: Annotated[
        str | None, typer.Option(help="A key that rows share which depend on each other, such as a conversation's.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare two runs row by row: better, worse or noise, with intervals."""
    with errors_in_one_line():
        wanted = {"baseline": baseline_id, **({"group_by": group_by} if group_by else {})}
        found = stack.asked(to, "GET", f"{_path(eval_of(to, run_id), run_id)}/comparison?{urlencode(wanted)}")
        stack.show(found, as_json=as_json, lines=_compared(found))


def eval_of(to: str, run_id: str) -> str:
    """The id of a run's eval, which its lineage names. Raises Stopped where there is no such run."""
    nodes = stack.asked(to, "GET", stack.place("lineage", run_id))["nodes"]
    for node in nodes:
        if (node["kind"], node["side"]) == ("eval", "up"):
            return str(node["id"])
    raise Stopped(f"{run_id} is no run")


def line(run: dict[str, Any]) -> str:
    """A run in one line."""
    counts = run["result_counts"]
    passed = f"{counts['passed']} of {counts['total']} passed"
    return stack.plain(f"{run['id']}  {run['status']}  {run['model'] or 'captured answers'}  {passed}  {run['name']}")


def whole(run: dict[str, Any]) -> Iterator[str]:
    """A run with its figures."""
    yield line(run)
    if run["error"]:
        yield stack.plain(f"  {run['error']['message']}")
    figures = run["statistics"]
    if figures:
        yield f"  {_rate(figures)}"
        yield from (stack.plain(f"  {_name(part['testing_criteria'])}: {_rate(part)}") for part in figures["criteria"])
    yield from (stack.plain(f"  warning: {warning}") for warning in run["warnings"])
    yield f"  {run['report_url']}"


def _name(criterion_id: str) -> str:
    """A criterion's name out of its id, which ends in a UUID."""
    return _UUID.sub("", criterion_id)


def _rate(part: dict[str, Any]) -> str:
    low, high = part["interval"]
    errors = f", {part['errored']} errors" if part.get("errored") else ""
    return f"{part['pass_rate']:.1%} of {counted(part['rows'], 'row')} pass ({low:.1%} to {high:.1%}){errors}"


def _row(row: dict[str, Any]) -> str:
    grades = "; ".join(f"{_name(grade['name'])}: {'pass' if grade['passed'] else 'fail'}" for grade in row["results"])
    return stack.plain(f"{row['id']}  {row['status']}  {grades}")


def _compared(found: dict[str, Any]) -> Iterator[str]:
    low, high = found["interval"] or (float("nan"), float("nan"))
    yield f"{found['finding']}: {found['gain']:+.1%} ({low:+.1%} to {high:+.1%}), p {found['p_value']:.3g}"
    yield f"  run       {_rate(found['run'])}"
    yield f"  baseline  {_rate(found['baseline'])}"
    yield f"  {counted(found['won'], 'row')} won, {found['lost']} lost, {found['rows']} in both"
    for criterion in found["criteria"]:
        yield stack.plain(f"  {criterion['name']}: {criterion['gain']:+.1%}, p {criterion['p_value']:.3g}")


def _path(eval_id: str, run_id: str) -> str:
    return stack.place("evals", eval_id, "runs", run_id)
