"""The Stillhouse that a command asks, and how its answers are printed.

What was captured is hostile: control characters, which could move the cursor or turn text around, are shown by names.

`asking` is imported on the first request: the openai SDK takes most of a second, and `--help` does without.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

import typer

from stillhouse.importing.stopped import Stopped

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON, for programs.")]
Limit = Annotated[int, typer.Option(min=1, help="How many, the newest first.")]

_KEPT = frozenset("\n\t\u200d")
_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})


def asked(to: str, method: Literal["GET", "POST", "PUT", "DELETE"], path: str, body: Any = None) -> dict[str, Any]:
    """The answer to one request."""
    from stillhouse import asking

    return asking.asked(to, method, path, body)


def every(to: str, path: str, wanted: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
    """Each object of a list that `wanted` narrows."""
    from stillhouse import asking

    return asking.every(to, path, wanted)


def fetched(to: str, path: str) -> bytes:
    """The bytes behind an address."""
    from stillhouse import asking

    return asking.fetched(to, path)


def page(to: str, path: str, header: str) -> tuple[bytes, str | None]:
    """The bytes behind an address, and what this header of the answer says."""
    from stillhouse import asking

    return asking.page(to, path, header)


def linked(url: str) -> bytes:
    """The bytes behind a link that needs no key."""
    from stillhouse import asking

    return asking.linked(url)


def try_key(to: str, key: str) -> None:
    """Raise Stopped where nothing answers at the address, or where it does not know the key."""
    from stillhouse import asking

    asking.try_key(to, key)


def document(path: Path) -> dict[str, Any]:
    """A JSON object out of a file. Raises Stopped where it holds none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise Stopped(f"{path} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise Stopped(f"{path} holds no JSON object")
    return found


def place(*parts: str) -> str:
    """The path of an object whose ids may hold anything: `place("models", "ft:a/b")` is `/models/ft%3Aa%2Fb`."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def plain(text: str) -> str:
    """Text that cannot act on a terminal: what is invisible stands as `<U+202E>`, as in the web pages."""
    return "".join(
        character
        if character in _KEPT or unicodedata.category(character) not in _HIDDEN
        else f"<U+{ord(character):04X}>"
        for character in text
    )


def text(value: Any) -> str:
    """A value as text: JSON where it is none."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def written(document: Any) -> str:
    """A document as JSON for programs."""
    return json.dumps(document, indent=2)


def fields(document: Mapping[str, Any]) -> Iterator[str]:
    """What a document says, a line a field; what it lacks is left out."""
    return (
        plain(f"{name}: {value}")
        for name, value in document.items()
        if value not in (None, [], {}) and name != "object"
    )


def show(document: dict[str, Any], *, as_json: bool, lines: Iterable[str] | None = None) -> None:
    """Print a document: as JSON, or as these lines, else field by field."""
    typer.echo(written(document) if as_json else "\n".join(fields(document) if lines is None else lines))


def show_list(
    objects: Iterable[dict[str, Any]], line: Callable[[dict[str, Any]], str], *, limit: int | None, as_json: bool
) -> None:
    """Print the first `limit` objects: as one JSON array, or a line each, as they come."""
    shown = islice(objects, limit)
    if as_json:
        typer.echo(written(list(shown)))
        return
    for one in shown:
        typer.echo(line(one))


def at(seconds: float) -> str:
    """A time in UTC, as people read it."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"
