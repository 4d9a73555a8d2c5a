"""`stillhouse report`: the page of a verdict, of two runs or of a dataset as one file, to mail or to keep.

In: an object's id, Stillhouse's URL, and a key with the scope `read` from the environment. Out: a file of HTML that
needs no server: its style and pictures are in it, and it runs nothing. The exit code is 1 where Stillhouse refuses or
cannot be reached.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import quote, urlencode

import typer

from stillhouse import stack
from stillhouse.importing.stopped import Stopped
from stillhouse.importing.terminal import To, errors_in_one_line

_API = "/v1"

Id = Annotated[str, typer.Argument(help="A verdict, a distillation, a dataset, or with --against a run.")]


def report(
    object_id: Id,
    *,
    to: To,
    against: Annotated[str | None, typer.Option(help="The run of the same eval that a run is held to.")] = None,
    out: Annotated[Path | None, typer.Option(help="The file to write; <id>.html if absent.")] = None,
) -> None:
    """Write the report of a verdict, a comparison or a dataset as one file of HTML."""
    with errors_in_one_line():
        if not to.rstrip("/").endswith(_API):
            raise Stopped(f"{to} does not end in {_API}: the pages are at the address before it")
        query = urlencode({"file": "1", **({"against": against} if against else {})})
        page = stack.fetched(to.rstrip("/").removesuffix(_API), f"/reports/{quote(object_id, safe='')}?{query}")
        path = out or Path(f"{object_id}.html")
        path.write_bytes(page)
        typer.echo(path)
