"""`stillhouse list|search|show|export|usage`: the captured completions.

In: Stillhouse's URL and a key; which completions (`chosen`). Out: lines for people, or JSON with --json: one object a
line where there may be any number. The exit code is 1 where Stillhouse refuses or cannot be reached.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from stillhouse import stack
from stillhouse.captured import chosen, exported
from stillhouse.captured.printed import group_line, head, whole
from stillhouse.importing.terminal import To, errors_in_one_line
from stillhouse.stack import AsJson, Limit
from stillhouse.wording import counted

Id = Annotated[str, typer.Argument(help="The completion's id, as chatcmpl-… or resp_…")]


def list_(
    *,
    to: To,
    model: chosen.Model = None,
    tag: chosen.Tags = None,
    since: chosen.Since = None,
    until: chosen.Until = None,
    finish_reason: chosen.FinishReason = None,
    filter_id: chosen.Filter = None,
    errors: chosen.Errors = False,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """List captured completions, the newest first."""
    with errors_in_one_line():
        wanted = chosen.query(
            model=model,
            tag=tag,
            since=since,
            until=until,
            finish_reason=finish_reason,
            filter_id=filter_id,
            errors=errors,
        )
        _list(to, wanted, limit, as_json=as_json)


def search(
    text: Annotated[str, typer.Argument(help="Words in a message or an answer, in any case.")],
    *,
    to: To,
    model: chosen.Model = None,
    tag: chosen.Tags = None,
    since: chosen.Since = None,
    until: chosen.Until = None,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """Find captured completions by words, the newest first."""
    with errors_in_one_line():
        _list(to, chosen.query(model=model, tag=tag, since=since, until=until, text=text), limit, as_json=as_json)


def show(completion_id: Id, *, to: To, as_json: AsJson = False) -> None:
    """Show one completion in full: what was asked, what was answered, its tags and its correction."""
    with errors_in_one_line():
        path = stack.place("chat", "completions", completion_id)
        completion = stack.asked(to, "GET", path)
        completion["messages"] = list(stack.every(to, f"{path}/messages"))
        stack.show(completion, as_json=as_json, lines=whole(completion))


def export(
    *,
    to: To,
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write, one completion a line.")],
    model: chosen.Model = None,
    tag: chosen.Tags = None,
    since: chosen.Since = None,
    until: chosen.Until = None,
    filter_id: chosen.Filter = None,
    as_json: AsJson = False,
) -> None:
    """Write captured completions to a file, in the shape that `stillhouse push` takes."""
    with errors_in_one_line():
        wanted = chosen.query(model=model, tag=tag, since=since, until=until, filter_id=filter_id)
        lines = exported.write(to, wanted, output, lambda count: typer.echo(counted(count, "completion"), err=True))
        told = {"file": str(output), "lines": lines, "bytes": output.stat().st_size}
        stack.show(told, as_json=as_json, lines=[f"{counted(lines, 'completion')} in {output}"])


def usage(
    *,
    to: To,
    by: Annotated[str, typer.Option(help="Groups, separated by commas: model, alias, day, metadata.KEY.")] = "model",
    model: chosen.Model = None,
    tag: chosen.Tags = None,
    since: chosen.Since = None,
    until: chosen.Until = None,
    as_json: AsJson = False,
) -> None:
    """Count captured completions: volume, tokens, latency and cost by group."""
    with errors_in_one_line():
        wanted = {"group_by": by, **chosen.query(model=model, tag=tag, since=since, until=until)}
        used = stack.asked(to, "GET", f"/usage?{urlencode(wanted)}")
        stack.show(used, as_json=as_json, lines=map(group_line, used["data"]))


def _list(to: str, wanted: dict[str, str], limit: int, *, as_json: bool) -> None:
    found: Iterator[dict[str, Any]] = stack.every(to, "/chat/completions", {"order": "desc", **wanted})
    for completion in islice(found, limit):
        typer.echo(json.dumps(completion) if as_json else head(completion))
