"""Files of JSON, read row by row: JSON lines or one JSON array, gzip'd or not.

In: a file, or a folder of them. Out: items in the order of their names and rows, whatever the size of the files. A
line that is no JSON is an item of its own; an array that breaks off ends the import.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import itertools
import json
import re
import zlib
from collections.abc import Callable, Generator, Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Protocol, cast

from stillhouse.importing.record import Record
from stillhouse.importing.source import Item, Left, Unmapped
from stillhouse.importing.stopped import Stopped

_SUFFIXES = {".json", ".jsonl", ".ndjson", ".gz"}
_CHUNK = 1024 * 1024
_LONGEST_LINE = 64 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_BROKEN: tuple[type[Exception], ...] = (OSError, EOFError, ValueError, RecursionError, zlib.error)
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
_BETWEEN = re.compile(r"[\s,]*")


class Folder(Protocol):
    """Files under names that sort; `errors` are what reading one may raise, beside the usual."""

    errors: tuple[type[Exception], ...]

    @property
    def total(self) -> int | None:
        """Bytes, as they lie there."""

    @property
    def position(self) -> int: ...

    def names(self, since: str | None) -> Iterator[str]:
        """In order, from `since` on."""

    def open(self, name: str) -> BinaryIO: ...


class LocalFolder:
    """A file, or all files of JSON below a folder."""

    errors: tuple[type[Exception], ...] = ()

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        if not self.path.exists():
            raise Stopped(f"{path} does not exist")
        self.root = self.path if self.path.is_dir() else self.path.parent
        self._reading: BinaryIO | None = None
        self._passed = 0

    @property
    def total(self) -> int | None:
        return sum(self._sizes.values())

    @property
    def position(self) -> int:
        reading = self._reading
        return self._passed + (reading.tell() if reading and not reading.closed else 0)

    def names(self, since: str | None) -> Iterator[str]:
        self._passed = 0
        for name, size in self._sizes.items():
            if since is None or name >= since:
                yield name
            self._passed += size

    def open(self, name: str) -> BinaryIO:
        self._reading = (self.root / name).open("rb")
        return self._reading

    def modified(self, name: str) -> int:
        return int((self.root / name).stat().st_mtime)

    def wanted(self, name: str) -> bool:
        return PurePosixPath(name).suffix in _SUFFIXES

    @cached_property
    def _sizes(self) -> dict[str, int]:
        """Of the files in the order of their names; as they are at the start."""
        if self.path.is_file():
            return {self.path.name: self.path.stat().st_size}
        files = {path.relative_to(self.root).as_posix(): path for path in self.root.rglob("*") if path.is_file()}
        return {name: files[name].stat().st_size for name in sorted(files) if self.wanted(name)}


class FileSource:
    """The rows of files, each mapped on its own; `record_of` gets a row and the name of its file."""

    def __init__(
        self, folder: Folder, record_of: Callable[[dict[str, Any], str], Record], identity: dict[str, Any]
    ) -> None:
        self.identity = identity
        self._folder = folder
        self._record_of = record_of

    @property
    def total(self) -> int | None:
        return self._folder.total

    @property
    def position(self) -> int:
        return self._folder.position

    def items(self, cursor: Any) -> Iterator[Item]:
        since, done = cursor or (None, 0)
        broken = _BROKEN + self._folder.errors
        for name in self._folder.names(since):
            try:
                for number, row in rows(self._folder.open(name), behind=done if name == since else 0):
                    yield Item(f"{name}:{number}", [name, number], self._record_or_reason(row, name))
            except broken as error:
                raise Stopped(f"{name} cannot be read to its end ({type(error).__name__})") from None

    def _record_or_reason(self, row: Any, name: str) -> Record | Left:
        try:
            if isinstance(row, Left):
                return row
            if not isinstance(row, dict):
                return Unmapped(f"a row that is no object but {type(row).__name__}")
            return self._record_of(row, name)
        except Left as left:
            return left
        except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
            # Someone else's format: a field of another kind than documented is that row's affair alone.
            return Unmapped(f"not of the documented shape ({type(error).__name__})")


def rows(stream: BinaryIO, *, behind: int = 0) -> Generator[tuple[int, Any]]:
    """Row numbers from 1 on and their values, those up to `behind` left out; a broken line is an Unmapped.

    The stream is closed at the end.
    """
    with contextlib.ExitStack() as open_ones:
        enter = open_ones.enter_context
        buffered = enter(io.BufferedReader(cast("io.RawIOBase", enter(stream))))
        if buffered.peek(2)[:2] == b"\x1f\x8b":
            buffered = enter(io.BufferedReader(cast("io.RawIOBase", enter(gzip.GzipFile(fileobj=buffered)))))
        if buffered.peek(3)[:3] == _BOM:
            buffered.read(3)
        if buffered.peek(1).lstrip()[:1] == b"[":
            text = enter(io.TextIOWrapper(cast("BinaryIO", buffered), "utf-8", newline=""))
            yield from (row for row in _array(text) if row[0] > behind)
        else:
            yield from _lines(buffered, behind)


def _lines(stream: io.BufferedReader[Any], behind: int) -> Iterator[tuple[int, Any]]:
    for number in itertools.count(1):
        line = stream.readline(_LONGEST_LINE)
        if not line:
            return
        if len(line) == _LONGEST_LINE and not line.endswith(b"\n"):
            _skip_line(stream)
            yield number, Unmapped("a line over 64 MB")
        elif number > behind and line.strip():
            yield number, _value(line)


def _skip_line(stream: io.BufferedReader[Any]) -> None:
    while (rest := stream.readline(_LONGEST_LINE)) and not rest.endswith(b"\n"):
        pass


def _value(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return Unmapped("a line that is no JSON")


def _array(text: io.TextIOWrapper) -> Iterator[tuple[int, Any]]:
    """The elements of an array that need not fit into memory. Raises JSONDecodeError where it breaks off."""
    decoder = json.JSONDecoder()
    held, at, number = text.read(_CHUNK), 0, 0
    at = held.index("[") + 1
    while True:
        between = _BETWEEN.match(held, at)
        at = between.end() if between else at
        if held.startswith("]", at):
            return
        value, end, broken = _element(decoder, held, at)
        if end is None:
            more = text.read(max(_CHUNK, len(held)))
            if not more:
                raise broken
            held, at = held[at:] + more, 0
            continue
        number += 1
        at = end
        yield number, value


def _element(decoder: json.JSONDecoder, held: str, at: int) -> tuple[Any, int | None, Exception]:
    """Return the element at this place and its end; the end is None, and the error says why, where it is not whole.

    An element whose JSON Python does not read (nested too deeply, an integer of thousands of digits) is an Unmapped.
    """
    try:
        value, end = decoder.raw_decode(held, at)
    except json.JSONDecodeError as error:
        return None, None, error
    except (ValueError, RecursionError) as error:
        return Unmapped("an element that cannot be read"), _end_of(held, at), error
    return value, end, EOFError()


def _end_of(held: str, at: int) -> int | None:
    """Return where the object or list that begins here ends; None if that is not held yet."""
    if held[at] not in "{[":
        return None
    depth = 0
    for match in _BRACKETS.finditer(held, at):
        bracket = match.group()[0]
        depth += (bracket in "{[") - (bracket in "}]")
        if depth == 0 and bracket != '"':
            return match.end()
    return None
