"""Where OpenAI's evals are read from: its API, or files that came from there.

Everything is a dict as the API gives it; `items` are output items. `file` is the content of an uploaded file, None
where it is gone. `unread` names what could not be understood. Raises Stopped where the source cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Protocol


class Origin(Protocol):
    """OpenAI's evals."""

    @property
    def unread(self) -> Sequence[tuple[str, str]]: ...

    def evals(self) -> Iterator[dict[str, Any]]: ...

    def runs(self, eval_id: str) -> Iterator[dict[str, Any]]: ...

    def items(self, eval_id: str, run_id: str) -> Iterator[dict[str, Any]]: ...

    def file(self, file_id: str) -> BinaryIO | None: ...
