"""`stillhouse eval list|show|create|delete`: what is asked of an answer.

In: Stillhouse's URL and a key. Out: lines for people, or JSON with --json. The exit code is 1 where Stillhouse refuses
or cannot be reached.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from stillhouse import stack
from stillhouse.importing.terminal import To, errors_in_one_line
from stillhouse.stack import AsJson, Limit

app = typer.Typer(no_args_is_help=True, help="Create, list, show and delete evals.")

Id = Annotated[str, typer.Argument(help="The eval's id, as eval_…")]


@app.command("list")
def list_(*, to: To, limit: Limit = 20, as_json: AsJson = False) -> None:
    """List the newest evals."""
    with errors_in_one_line():
        newest = stack.every(to, "/evals", {"order": "desc"})
        stack.show_list(newest, _line, limit=limit, as_json=as_json)


@app.command()
def show(eval_id: Id, *, to: To, as_json: AsJson = False) -> None:
    """Show one eval with its criteria."""
    with errors_in_one_line():
        found = stack.asked(to, "GET", stack.place("evals", eval_id))
        stack.show(found, as_json=as_json, lines=[_line(found), *map(_criterion, found["testing_criteria"])])


_EXAMPLE = (
    'Example of a file: {"name": "triage", "testing_criteria": [{"type": "string_check", "name": "right", "operation": '
    '"eq", "input": "{{ sample.output_text }}", "reference": "{{ item.reference }}"}]}'
)


@app.command(epilog=_EXAMPLE)
def create(
    file: Annotated[Path, typer.Argument(help='JSON as POST /v1/evals takes it: {"name", "testing_criteria", …}.')],
    *,
    to: To,
    name: Annotated[str | None, typer.Option(help="Its name, instead of that in the file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Create an eval. Without a `data_source_config` its rows are captured completions."""
    with errors_in_one_line():
        body = {"data_source_config": {"type": "stored_completions"}, **stack.document(file)}
        made = stack.asked(to, "POST", "/evals", {**body, "name": name} if name else body)
        stack.show(made, as_json=as_json, lines=[_line(made)])


@app.command()
def delete(eval_id: Id, *, to: To, as_json: AsJson = False) -> None:
    """Delete an eval."""
    with errors_in_one_line():
        gone = stack.asked(to, "DELETE", stack.place("evals", eval_id))
        stack.show(gone, as_json=as_json, lines=[f"deleted: {eval_id}"])


def _line(found: dict[str, Any]) -> str:
    names = ", ".join(str(criterion["name"]) for criterion in found["testing_criteria"])
    return f"{found['id']}  {stack.at(found['created_at'])}  {stack.plain(found['name'] or '')}: {stack.plain(names)}"


def _criterion(criterion: dict[str, Any]) -> str:
    hidden = {"id", "name", "type"}
    said = "  ".join(f"{key}={stack.text(value)}" for key, value in criterion.items() if key not in hidden)
    return stack.plain(f"  {criterion['name']} ({criterion['type']}): {said}")
