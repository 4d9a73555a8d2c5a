"""`stillhouse dataset create|list|report|rows|diff|export|cancel|delete`: sets made by a recipe and looked into.

In: Stillhouse's URL and a key. Out: lines for people, or JSON with --json; what lasts tells its
progress on standard error. The exit code is 1 where Stillhouse refuses or cannot be reached, 3 where the dataset could
not be made, and 130 where the user stops it: the dataset is made nevertheless.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import typer

from stillhouse import stack
from stillhouse.importing.stopped import Stopped
from stillhouse.importing.terminal import To, errors_in_one_line
from stillhouse.named import FORMATS, TRAINERS
from stillhouse.stack import AsJson
from stillhouse.wording import counted

app = typer.Typer(no_args_is_help=True, help="Make training sets by a recipe, look into them, compare and export them.")

_A_LOOK_S = 2.0
_OPEN = ("queued", "grading", "making")
_FAILED = 3

Id = Annotated[str, typer.Argument(help="The dataset's id, as dataset_…")]


@app.command()
def create(
    *,
    to: To,
    model: Annotated[str | None, typer.Option(help="Completions of this model.")] = None,
    tag: Annotated[
        list[str] | None, typer.Option(help="Completions with this tag, key=value; may be repeated.")
    ] = None,
    filter_id: Annotated[
        list[str] | None, typer.Option("--filter", help="A saved filter, as filter_…; may be repeated.")
    ] = None,
    file: Annotated[
        list[str] | None, typer.Option(help="An uploaded file of training examples, as file-…; may be repeated.")
    ] = None,
    file_model: Annotated[str | None, typer.Option(help="The model whose answers the files have.")] = None,
    held_out_tag: Annotated[
        list[str] | None, typer.Option(help="Test rows, which must not train, by a tag key=value; may be repeated.")
    ] = None,
    held_out_file: Annotated[str | None, typer.Option(help="Test rows in an uploaded file, as file-…")] = None,
    recipe: Annotated[
        Path | None,
        typer.Option(help="A JSON file with what of the recipe is to be otherwise; `report` shows a recipe."),
    ] = None,
    trainer: Annotated[str | None, typer.Option(help=f"For this trainer: {TRAINERS}, or a provider.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Make the report only.")] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is made, and show its card.")] = True,
    as_json: AsJson = False,
) -> None:
    """Make a training set of stored completions, or of uploaded examples."""
    with errors_in_one_line():
        sources = [*_filters(model, tag, filter_id), *_files(file, file_model)]
        if not sources:
            raise Stopped("say which completions: --model, --tag key=value, --filter or --file")
        if held_out_file and held_out_tag:
            raise Stopped("give --held-out-tag or --held-out-file, not both")
        asked: dict[str, Any] = {"source": sources, "dry_run": dry_run}
        if held_out_file:
            asked["held_out"] = {"type": "file_id", "id": held_out_file}
        elif held_out_tag:
            asked["held_out"] = {"type": "stored_completions", "metadata": _tags(held_out_tag)}
        if recipe:
            asked["recipe"] = _recipe(recipe)
        if trainer:
            asked["trainer"] = trainer
        dataset = stack.asked(to, "POST", "/datasets", asked)
        if wait:
            dataset = _made(to, dataset)
        typer.echo(json.dumps(dataset, indent=2) if as_json else "\n".join(_lines(dataset)))
    if dataset["status"] == "failed":
        raise typer.Exit(_FAILED)


@app.command("list")
def list_(
    *,
    to: To,
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the newest training sets."""
    with errors_in_one_line():
        datasets = list(islice(stack.every(to, "/datasets"), limit))
        if as_json:
            typer.echo(json.dumps(datasets, indent=2))
        for dataset in [] if as_json else datasets:
            card = dataset["card"]
            rows = f"{card['rows']} of {counted(card['selected'], 'completion')}" if card else "-"
            typer.echo(f"{dataset['id']}  {dataset['status']}  {rows}{'  dry run' if dataset['dry_run'] else ''}")


@app.command()
def report(dataset_id: Id, *, to: To, as_json: AsJson = False) -> None:
    """Show the report of a training set: Markdown, or JSON with --json."""
    with errors_in_one_line():
        kind = "json" if as_json else "markdown"
        typer.echo(stack.fetched(to, f"{_path(dataset_id)}/report?format={kind}").decode())


@app.command()
def rows(
    dataset_id: Id,
    *,
    to: To,
    outcome: Annotated[str | None, typer.Option(help="Only those: train, validation or dropped.")] = None,
    rule: Annotated[str | None, typer.Option(help="Only those to which this rule did something.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="How many; else all.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what became of each completion; with --json one object a line."""
    with errors_in_one_line():
        wanted = {name: value for name, value in (("outcome", outcome), ("rule", rule)) if value}
        for row in islice(stack.every(to, f"{_path(dataset_id)}/rows", wanted), limit):
            typer.echo(json.dumps(row) if as_json else _row(row))


@app.command()
def diff(
    dataset_id: Id,
    other_id: Annotated[str, typer.Argument(help="The other dataset's id.")],
    *,
    to: To,
    as_json: AsJson = False,
) -> None:
    """Show what two training sets made otherwise of the same completions."""
    with errors_in_one_line():
        found = stack.asked(to, "GET", f"{_path(dataset_id)}/diff/{quote(other_id, safe='')}")
        if as_json:
            typer.echo(json.dumps(found, indent=2))
            return
        typer.echo(
            f"{found['same']} alike, {found['changed']} otherwise, {found['alone']} in the first alone, ", nl=False
        )
        typer.echo(f"{found['other_alone']} in the other alone")
        for row in found["data"]:
            typer.echo(f"{row['id']}  {_ended(row, '')}  ->  {_ended(row, 'other_')}")


@app.command()
def export(
    dataset_id: Id,
    *,
    to: To,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
    kind: Annotated[
        str | None, typer.Option("--format", help=f"The format, else that of its trainer: {FORMATS}.")
    ] = None,
    split: Annotated[str, typer.Option(help="Which examples: train or validation.")] = "train",
    leave_out: Annotated[bool, typer.Option("--leave-out", help="Leave out what the format cannot hold.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the examples of a training set to a file."""
    with errors_in_one_line():
        wanted = {"split": split, **({"format": kind} if kind else {}), **({"leave_out": "true"} if leave_out else {})}
        body = stack.fetched(to, f"{_path(dataset_id)}/content?{urlencode(wanted)}")
        output.write_bytes(body)
        lines = len(body.splitlines())
        told = {"file": str(output), "lines": lines, "bytes": len(body)}
        typer.echo(json.dumps(told) if as_json else f"{counted(lines, 'line')} in {output}")


@app.command()
def cancel(dataset_id: Id, *, to: To, as_json: AsJson = False) -> None:
    """Cancel a training set that is being made, with the runs that grade its rows."""
    with errors_in_one_line():
        ended = stack.asked(to, "POST", f"{_path(dataset_id)}/cancel")
        typer.echo(json.dumps(ended, indent=2) if as_json else f"canceled: {ended['id']}")


@app.command()
def delete(dataset_id: Id, *, to: To, as_json: AsJson = False) -> None:
    """Delete a training set with its files; what was trained on it stays."""
    with errors_in_one_line():
        gone = stack.asked(to, "DELETE", _path(dataset_id))
        typer.echo(json.dumps(gone, indent=2) if as_json else f"deleted: {gone['id']}")


def _files(files: list[str] | None, model: str | None) -> list[dict[str, Any]]:
    if model and not files:
        raise Stopped("--file-model says whose answers files have: name them with --file")
    said = {"model": model} if model else {}
    return [{"type": "file_id", "id": name, **said} for name in files or []]


def _filters(model: str | None, tags: list[str] | None, filters: list[str] | None) -> list[dict[str, Any]]:
    sources: list[dict[str, Any]] = [{"type": "filter", "id": name} for name in filters or []]
    if model or tags:
        found: dict[str, Any] = {"type": "stored_completions", "metadata": _tags(tags or [])}
        sources.append({**found, "model": model} if model else found)
    return sources


def _tags(given: list[str]) -> dict[str, str]:
    pairs = [tag.partition("=") for tag in given]
    wrong = next((key for key, equals, _ in pairs if not equals), None)
    if wrong is not None:
        raise Stopped(f"'{wrong}' is no tag: write key=value")
    return {key: value for key, _, value in pairs}


def _recipe(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise Stopped(f"{path} is no JSON: {error}") from error


def _made(to: str, dataset: dict[str, Any]) -> dict[str, Any]:
    """The dataset once it is made; meanwhile its status and the seconds are told."""
    begun, told = time.monotonic(), ""
    while dataset["status"] in _OPEN:
        if dataset["status"] != told:
            told = dataset["status"]
            typer.echo(f"{dataset['id']}: {told}", err=True)
        time.sleep(_A_LOOK_S)
        dataset = stack.asked(to, "GET", _path(dataset["id"]))
    typer.echo(f"{dataset['id']}: {dataset['status']} after {time.monotonic() - begun:.0f} s", err=True)
    return dataset


def _lines(dataset: dict[str, Any]) -> Iterator[str]:
    yield f"{dataset['id']}: {dataset['status']}"
    if dataset["error"]:
        yield dataset["error"]["message"]
    card = dataset["card"]
    if card:
        selected = counted(card["selected"], "completion")
        yield f"  {selected}: {card['train_rows']} train, {card['validation_rows']} validate"
        yield from (f"  {count} dropped by {rule}" for rule, count in card["dropped"].items() if count)


def _row(row: dict[str, Any]) -> str:
    place = f" line {row['line']}" if row["line"] else ""
    said = "; ".join(f"{noted['rule']}: {noted['reason']}{_others(noted)}" for noted in row["evidence"])
    return f"{row['id']}  {row['outcome']}{place}" + (f"  {said}" if said else "")


def _others(noted: dict[str, Any]) -> str:
    return f" ({', '.join(noted['others'])})" if noted["others"] else ""


def _ended(row: dict[str, Any], side: str) -> str:
    outcome, rule = row[f"{side}outcome"], row[f"{side}rule"]
    return f"{outcome or '-'}{f' by {rule}' if rule else ''}"


def _path(dataset_id: str) -> str:
    return stack.place("datasets", dataset_id)
