"""What a test of the importers needs: a Stillhouse that takes pushes in memory, and records for it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stillhouse.capturing.endpoint import Accepted
from stillhouse.importing.push import push
from stillhouse.importing.record import Record
from stillhouse.importing.source import Item, Left, Source
from stillhouse.importing.state import Counts, State


class Killed(BaseException):
    """The process ends here."""


class Taking:
    """An endpoint that takes everything; `before` and `after` may raise around the effect of push number n."""

    base_url = "http://stillhouse.test/v1"

    def __init__(self) -> None:
        self.pushes: list[list[dict[str, Any]]] = []
        self.tries = 0
        self.before: Callable[[int, list[dict[str, Any]]], None] = lambda *_: None
        self.after: Callable[[int], None] = lambda _: None
        self.refuses: Callable[[dict[str, Any]], dict[str, Any] | None] = lambda _: None

    @property
    def records(self) -> list[dict[str, Any]]:
        return [record for records in self.pushes for record in records]

    def push(self, body: bytes) -> Accepted:
        records = [json.loads(line) for line in gzip.decompress(body).splitlines()]
        self.tries += 1
        self.before(self.tries, records)
        whys = [self.refuses(record) for record in records]
        self.pushes.append([record for record, why in zip(records, whys, strict=True) if not why])
        self.after(self.tries)
        refused = [{"index": number, **why} for number, why in enumerate(whys) if why]
        return Accepted("capture_1", refused, len(records) - len(refused))


class Listed:
    """A source of so many completions, with the items of `left` in between."""

    total = None
    position = 0

    def __init__(self, number: int, *, left: dict[int, Left] | None = None, size: int = 0) -> None:
        self.identity = {"source": "listed", "number": number}
        self._number = number
        self._left = left or {}
        self._size = size

    def items(self, cursor: Any) -> Any:
        for number in range(cursor or 0, self._number):
            yield Item(f"row {number}", number + 1, self._left.get(number) or completion(number, size=self._size))


def completion(number: int, *, size: int = 0) -> Record:
    asked = {"model": "m", "messages": [{"role": "user", "content": f"{number} " + "x" * size}]}
    answer = {"role": "assistant", "content": "yes"}
    response = {"id": f"chatcmpl-{number}", "model": "m", "choices": [{"finish_reason": "stop", "message": answer}]}
    return Record("listed", asked, response, 1_700_000_000 + number)


def imported(source: Source, endpoint: Any, path: Path) -> Counts:
    return push(source, endpoint, State(path, source.identity), pause=lambda _: None)


def read_items(source: Source) -> list[Record | Left]:
    return [item.outcome for item in source.items(None)]


def written(path: Path, *rows: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
