"""The rows that the models of a distillation are measured on, before they are frozen.

In: the `test` source, and the teacher. Out: rows `{item, request, sample?, latency_ms?}`, lazily, with a sample where
the teacher has answered. Raises ApiError naming the line of a file that cannot be a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from annotated_types import MaxLen
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from completions import index
from completions.same_input import input_key
from completions.scan import Scan
from completions.sources import StoredCompletions
from distillations.dataset import Source
from evals.files import File, file_of_rows, numbered
from foundation import blobs
from foundation.errors import ApiError
from foundation.ids import derived_id

# In letters, of up to four bytes: a key of the table ends at 2,048.
_LONGEST_ID = 256
# What of a file's row is a test row. Answers in it are those of nobody knows whom.
_READ = ("item", "request", "latency_ms")
_ANSWERED = ("item", "request", "sample", "latency_ms")


class _Item(BaseModel):
    model_config = ConfigDict(extra="allow")

    input: list[dict[str, Any]]
    completion_id: Annotated[str, MaxLen(_LONGEST_ID)] | None = None


class _FileRow(BaseModel):
    """What a row of an uploaded file must hold, so that models can be asked with it and its results be found again."""

    item: _Item
    request: dict[str, Any] = Field(default_factory=dict)
    latency_ms: Annotated[float, Field(ge=0)] | None = None


def rows_of(
    source: Source, teacher: str, *, scan: Scan | None = None, answered: bool = False, param: str = "test"
) -> Iterator[dict[str, Any]]:
    """The rows in the order of the source; a `scan` ends those of stored completions early.

    `answered` says that the samples of a file's rows are the teacher's, as those of an earlier distillation are.
    `param` is the field that named the source.
    """
    if isinstance(source, StoredCompletions):
        completions = index.completions(source, limit=source.limit, scan=scan)
        return (completion.row(with_sample=teacher in completion.models) for completion in completions)
    file = file_of_rows(source.id, param=f"{param}.id")
    return _file_rows(file, _ANSWERED if answered else _READ, param)


def _file_rows(file: File, names: Sequence[str], param: str) -> Iterator[dict[str, Any]]:
    """Rows of an uploaded file, `{item: {input, reference, …}}`, named after their input where they have no id."""
    for number, row in numbered(_lines(file, param), param=f"{param}.id"):
        _check(number, row, param)
        item = row["item"]
        item["completion_id"] = item.get("completion_id") or derived_id("chatcmpl-", file.id, input_key(item["input"]))
        yield {name: row[name] for name in names if name in row}


def _lines(file: File, param: str) -> Iterator[bytes]:
    lines = blobs.raw_lines(file.key)
    if lines is None:
        raise ApiError(f"The file in '{param}' has no content.", code="file_not_found", param=f"{param}.id")
    return lines


def _check(number: int, row: dict[str, Any], param: str) -> None:
    try:
        _FileRow.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        message = f"Line {number} of the file in '{param}' cannot be a test row: {where}: {first['msg']}."
        raise ApiError(message, code="invalid_row", param=f"{param}.id") from error
