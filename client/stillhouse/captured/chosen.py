"""Which captured completions a command is about: its options, as a query of the API and as a source of rows.

In: what the user wrote. Out: the parameters of `GET /v1/chat/completions`. Raises Stopped where an option cannot be
understood.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from stillhouse.importing.stopped import Stopped

Model = Annotated[str | None, typer.Option(help="The model that was asked, or that answered.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", metavar="KEY=VALUE", help="With this tag; may be repeated.")]
Since = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Not before: 2026-11-28, 2026-11-28T09:30 (UTC), or 90m, 12h, 7d ago."),
]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Not after, written as --since.")]
FinishReason = Annotated[str | None, typer.Option(help="How the answer ended: stop, length, tool_calls …")]
Filter = Annotated[str | None, typer.Option("--filter", help="A saved filter, as filter_…, which the others narrow.")]
Errors = Annotated[bool, typer.Option("--errors", help="Calls that failed, instead of those that were answered.")]

_AGO = re.compile(r"(\d{1,6})([mhd])")
_SECONDS = {"m": 60, "h": 3600, "d": 86400}


def query(
    *,
    model: str | None = None,
    tag: Iterable[str] | None = None,
    since: str | None = None,
    until: str | None = None,
    finish_reason: str | None = None,
    filter_id: str | None = None,
    errors: bool = False,
    text: str | None = None,
) -> dict[str, str]:
    """The parameters that narrow a list of completions to these; what was not said is absent."""
    given = {
        "model": model,
        "created_after": moment(since),
        "created_before": moment(until),
        "finish_reason": finish_reason,
        "filter": filter_id,
        "has_error": "true" if errors else None,
        "text": text,
        **{f"metadata[{key}]": value for key, value in tags(tag).items()},
    }
    return {name: str(value) for name, value in given.items() if value is not None}


def source(tag: Iterable[str], model: str | None = None) -> dict[str, Any]:
    """Rows of an eval or of a training set: the completions with these tags."""
    rows: dict[str, Any] = {"type": "stored_completions", "metadata": tags(tag)}
    return {**rows, "model": model} if model else rows


def tags(given: Iterable[str] | None) -> dict[str, str]:
    """`["split=test"]` as `{"split": "test"}`."""
    pairs = [tag.partition("=") for tag in given or ()]
    wrong = next((key for key, equals, _ in pairs if not equals), None)
    if wrong is not None:
        raise Stopped(f"'{wrong}' is no tag: write key=value")
    return {key: value for key, _, value in pairs}


def moment(said: str | None) -> int | None:
    """A time in seconds since the epoch: a date, a date with a time, or how long ago."""
    if said is None:
        return None
    ago = _AGO.fullmatch(said)
    if ago:
        return int(time.time()) - int(ago[1]) * _SECONDS[ago[2]]
    try:
        when = datetime.fromisoformat(said)
        return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError) as error:
        raise Stopped(f"'{said}' is no time: write 2026-11-28, 2026-11-28T09:30, 90m, 12h or 7d") from error
