"""Batches that Stillhouse has not accepted yet, oldest first, within a limit of bytes.

In: packed batches. Out: the oldest batch, until it is removed. Batches on disk outlive the process: the next process
with the same endpoint delivers them. Batches in memory are lost with it. Above the limit the oldest batches are
dropped, which is counted and logged once.
"""

from __future__ import annotations

import contextlib
import gzip
import itertools
import os
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

from stillhouse.capturing.counts import Tally

_SUFFIX = ".ndjson.gz"


class Batch(NamedTuple):
    """The records of one push: the compressed lines, and their number."""

    name: str
    body: bytes
    records: int


def packed(lines: Iterable[bytes], most: int) -> Iterator[tuple[bytes, int]]:
    """Pack lines into compressed bodies of at most `most` bytes before compression, each with its number of lines."""
    some: list[bytes] = []
    size = 0
    for line in lines:
        if some and size + len(line) > most:
            yield gzip.compress(b"\n".join(some), 6, mtime=0), len(some)
            some, size = [], 0
        some.append(line)
        size += len(line)
    if some:
        yield gzip.compress(b"\n".join(some), 6, mtime=0), len(some)


class Backlog(Protocol):
    """A store for waiting batches. `turn` gives True to the only process that may deliver now."""

    def add(self, body: bytes, records: int) -> str | None: ...
    def oldest(self) -> Batch | None: ...
    def remove(self, name: str) -> None: ...
    def names(self) -> set[str]: ...
    def turn(self) -> contextlib.AbstractContextManager[bool]: ...
    def abandon(self) -> int: ...


class MemoryBacklog:
    """Batches in memory; those left at the end of the process are lost."""

    def __init__(self, limit: int, tally: Tally) -> None:
        self._limit = limit
        self._tally = tally
        self._batches: dict[str, Batch] = {}
        self._numbers = itertools.count()

    def add(self, body: bytes, records: int) -> str | None:
        name = str(next(self._numbers))
        self._batches[name] = Batch(name, body, records)
        while sum(len(batch.body) for batch in self._batches.values()) > self._limit:
            oldest = next(iter(self._batches.values()))
            self.remove(oldest.name)
            _dropped(self._tally, oldest.records)
        return name

    def oldest(self) -> Batch | None:
        return next(iter(self._batches.values()), None)

    def remove(self, name: str) -> None:
        self._batches.pop(name, None)

    def names(self) -> set[str]:
        return set(self._batches)

    @contextmanager
    def turn(self) -> Iterator[bool]:
        yield True

    def abandon(self) -> int:
        """Drop all batches; return the number of their records."""
        records = sum(batch.records for batch in self._batches.values())
        self._batches.clear()
        return records


class DiskBacklog:
    """A folder with a file per batch; its name holds the time, the process and the number of records.

    Files appear whole, by a rename. Several processes may share the folder; `turn` lets one of them deliver at a time,
    and a batch that is delivered twice is recorded once, since completions are known by id and content.
    """

    def __init__(self, folder: Path, limit: int, tally: Tally) -> None:
        """Raises OSError where the folder cannot be made or written to."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(f"{folder} cannot be written to")
        self._folder = folder
        self._limit = limit
        self._tally = tally
        # A long outage leaves thousands of files: the folder is not read for each of them.
        self._known: deque[str] = deque()
        self._room = 0

    def add(self, body: bytes, records: int) -> str | None:
        name = f"{time.time_ns():020d}-{os.getpid()}-{records}{_SUFFIX}"
        path = self._folder / name
        part = path.with_suffix(".part")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # The file holds prompts: only its owner may read it.
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(body)
            part.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink()
            self._tally.add("dropped", records)
            self._tally.warn_once("spool", "cannot spool to %s (%s): records are dropped", self._folder, error.strerror)
            return None
        self._room -= len(body)
        if self._room < 0:
            self._trim()
        return name

    def oldest(self) -> Batch | None:
        for _ in range(2):
            while self._known:
                name = self._known[0]
                with contextlib.suppress(OSError):
                    return Batch(name, (self._folder / name).read_bytes(), _records(name))
                self._known.popleft()
            self._known.extend(sorted(self.names()))
        return None

    def remove(self, name: str) -> None:
        with contextlib.suppress(OSError):
            (self._folder / name).unlink()

    def names(self) -> set[str]:
        # If the folder was deleted, nothing waits.
        with contextlib.suppress(OSError), os.scandir(self._folder) as entries:
            return {entry.name for entry in entries if entry.name.endswith(_SUFFIX)}
        return set()

    def _trim(self) -> None:
        """Drop the oldest batches above the limit. Only a tenth of the room left is used before sizes are read again.

        Other processes add to the folder meanwhile.
        """
        sizes: dict[str, int] = {}
        for name in sorted(self.names()):
            with contextlib.suppress(OSError):
                sizes[name] = (self._folder / name).stat().st_size
        total = sum(sizes.values())
        for name, size in sizes.items():
            if total <= self._limit:
                break
            self.remove(name)
            total -= size
            _dropped(self._tally, _records(name))
        self._room = (self._limit - total) // 10

    @contextmanager
    def turn(self) -> Iterator[bool]:
        if sys.platform == "win32":
            yield True
            return
        # Imported here: Windows has no such module.
        import fcntl

        with contextlib.ExitStack() as stack:
            try:
                file = stack.enter_context((self._folder / "lock").open("wb"))
                # A record lock, since a forked child does not inherit it.
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield False
                return
            yield True

    def abandon(self) -> int:
        """Return 0: batches on disk are not lost with the process."""
        return 0


def _records(name: str) -> int:
    return int(name.removesuffix(_SUFFIX).rsplit("-", 1)[-1])


def _dropped(tally: Tally, records: int) -> None:
    tally.add("dropped", records)
    tally.warn_once(
        "limit", "Stillhouse is away and the spool is full: the oldest captured completions are dropped and counted"
    )
