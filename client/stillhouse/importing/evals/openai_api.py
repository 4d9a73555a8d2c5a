"""Read OpenAI's Evals API, or any server that has it.

In: an SDK client. Out: evals, runs and output items as JSON, oldest first. The SDK's types are not used: they lack some
graders. The SDK retries throttled requests. Raises Stopped if the server refuses a request or cannot be reached.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

from openai import NotFoundError, OpenAI, OpenAIError

from stillhouse.importing.evals.paging import pages
from stillhouse.importing.stopped import Stopped

_IN_MEMORY = 4 * 1024 * 1024


class ApiOrigin:
    """The evals of a project; if `wanted` is not empty, only those with these ids."""

    def __init__(self, client: OpenAI, wanted: frozenset[str] = frozenset()) -> None:
        self.unread = ()
        self._client = client
        self._wanted = wanted

    def evals(self) -> Iterator[dict[str, Any]]:
        return (eval_ for eval_ in self._list("/evals") if not self._wanted or eval_["id"] in self._wanted)

    def runs(self, eval_id: str) -> Iterator[dict[str, Any]]:
        return self._list(f"/evals/{eval_id}/runs")

    def items(self, eval_id: str, run_id: str) -> Iterator[dict[str, Any]]:
        return self._list(f"/evals/{eval_id}/runs/{run_id}/output_items")

    def file(self, file_id: str) -> BinaryIO | None:
        with contextlib.ExitStack() as unless_whole:
            held = unless_whole.enter_context(tempfile.SpooledTemporaryFile(_IN_MEMORY))
            try:
                with self._client.files.with_streaming_response.content(file_id) as content:
                    for part in content.iter_bytes():
                        held.write(part)
            except NotFoundError:
                return None
            except OpenAIError as error:
                raise Stopped(f"{self._client.base_url} file {file_id}: {_why(error)}") from None
            held.seek(0)
            unless_whole.pop_all()
        return cast("BinaryIO", held)

    def _list(self, path: str) -> Iterator[dict[str, Any]]:
        try:
            yield from pages(self._client, path)
        except OpenAIError as error:
            raise Stopped(f"{self._client.base_url} {path}: {_why(error)}") from None


def _why(error: OpenAIError) -> str:
    status = getattr(error, "status_code", None)
    return f"it answers {status}" if status else type(error).__name__
