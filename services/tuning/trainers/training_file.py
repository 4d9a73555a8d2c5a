"""A file of a training set by reference: where it lies and how large it is. Nobody holds it in memory whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, Self

from distillations.formats.lines import examples
from foundation import blobs
from foundation.settings import settings


@dataclass(frozen=True)
class TrainingFile:
    """JSONL in the stack's bucket. `size` is in bytes."""

    key: str
    size: int

    @classmethod
    def at(cls, key: str) -> Self:
        """The file under this key, which exists."""
        return cls(key, blobs.size(key))

    @property
    def uri(self) -> str:
        return f"s3://{settings().BUCKET}/{self.key}"

    def raw(self) -> Iterator[bytes]:
        """The lines as they were uploaded, streamed. Raises LineTooLong at one that nobody reads."""
        yield from blobs.raw_lines(self.key) or ()

    def read(self) -> Iterator[bytes]:
        """The examples, a line each: what harms none of them is mended, and empty lines are left out."""
        return examples(self.raw())

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """The file on disk, for whoever uploads it: a length is known, and chunks are read as they are sent."""
        with TemporaryFile() as file:
            file.writelines(self.read())
            file.seek(0)
            yield file
