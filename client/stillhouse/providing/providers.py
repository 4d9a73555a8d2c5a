"""What the commands of `stillhouse provider` do: one request each, and its answer written for people or for programs.

In: Stillhouse's URL, and what the command line says. Out: the exit code. Raises Stopped with one sentence where
Stillhouse refuses, naming the field, or cannot be reached.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import typer
from rich.console import Console
from rich.table import Table

from stillhouse.asking import asked
from stillhouse.importing.stopped import Stopped
from stillhouse.wording import counted

_FAILED = 1


def add(to: str, fields: dict[str, Any], *, as_json: bool) -> int:
    """Add a provider with those of the fields that are given."""
    given = {name: value for name, value in fields.items() if value is not None}
    made = asked(to, "POST", "/providers", given)
    _show(made, as_json=as_json)
    return 0


def change(to: str, name: str, changes: dict[str, Any], *, as_json: bool) -> int:
    """Change one provider."""
    _show(asked(to, "POST", _path(name), changes), as_json=as_json)
    return 0


def list_all(to: str, *, as_json: bool) -> int:
    """List all providers, page by page."""
    found: list[dict[str, Any]] = []
    more, after = True, ""
    while more:
        page = asked(to, "GET", f"/providers?limit=100{after}")
        found += page["data"]
        more, after = page["has_more"], f"&after={quote(str(page['last_id']), safe='')}"
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        _table(found)
    return 0


def show(to: str, name: str, *, as_json: bool) -> int:
    """Show one provider."""
    _show(asked(to, "GET", _path(name)), as_json=as_json)
    return 0


def try_out(to: str, name: str, model: str | None, *, as_json: bool) -> int:
    """Try one provider. Returns 1 where it fails."""
    seen = asked(to, "POST", f"{_path(name)}/test", {"model": model} if model else {})
    if as_json:
        typer.echo(json.dumps(seen, indent=2))
    elif seen["ok"]:
        tokens = "" if seen["completion_tokens"] is None else f", {counted(seen['completion_tokens'], 'token')}"
        typer.echo(f"ok: {seen['model']} answered in {seen['latency_ms']} ms{tokens}: {seen['answer']!r}")
    else:
        code = f" {seen['code']}" if seen["code"] else ""
        typer.echo(f"failed: {seen['model']}: {seen['status']}{code}: {seen['message']}")
    return 0 if seen["ok"] else _FAILED


def remove(to: str, name: str, *, as_json: bool) -> int:
    """Remove one provider."""
    gone = asked(to, "DELETE", _path(name))
    typer.echo(json.dumps(gone, indent=2) if as_json else f"removed: {gone['id']}")
    return 0


def prices_in(file: Path) -> Any:
    """The prices in a file of JSON. Raises Stopped where it holds none."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Stopped(f"{file} is no JSON: {error}") from error


def _path(name: str) -> str:
    return f"/providers/{quote(name, safe='')}"


def _show(provider: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(provider, indent=2))
        return
    for name, value in provider.items():
        if value is not None and name != "object":
            typer.echo(f"{name}: {', '.join(value) if isinstance(value, list) else value}")


def _table(found: list[dict[str, Any]]) -> None:
    columns = {"name": "id", "kind": "kind", "from": "origin", "key": "has_key", "may train others": "trains_others"}
    table = Table(box=None)
    for column in (*columns, "where", "models"):
        table.add_column(column)
    for provider in found:
        cells = [{True: "yes", False: "no"}.get(provider[name], str(provider[name])) for name in columns.values()]
        where = provider["base_url"] or provider["region"] or "the stack's region"
        table.add_row(*cells, where, str(len(provider["models"])) if provider["models"] else "any")
    Console(width=160 if not Console().is_terminal else None).print(table)
