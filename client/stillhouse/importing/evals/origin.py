"""The protocol of what OpenAI's evals are read from: its API, or files that were saved from it.

Everything is a dict as the API gives it; `items` yields output items. `file` opens an uploaded file, None if it is
gone. `unread` lists the files that were not understood, and why. Raises Stopped if the source cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Protocol


class Origin(Protocol):
    """A source of OpenAI's evals."""

    @property
    def unread(self) -> Sequence[tuple[str, str]]: ...

    def evals(self) -> Iterator[dict[str, Any]]: ...

    def runs(self, eval_id: str) -> Iterator[dict[str, Any]]: ...

    def items(self, eval_id: str, run_id: str) -> Iterator[dict[str, Any]]: ...

    def file(self, file_id: str) -> BinaryIO | None: ...
