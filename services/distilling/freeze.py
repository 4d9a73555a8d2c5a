"""Freeze the test rows of a distillation: once, before anything is measured.

In: the `test` source. Out: one JSONL object that all three runs read, written once whatever is redelivered. Of rows
with the same input the first is kept, or the first that the teacher answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, NamedTuple

import orjson
from annotated_types import MaxLen
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from completions import index
from completions.completion import input_key
from completions.sources import StoredCompletions
from distillations.distillation import Distillation
from evals.files import File, check_lines
from foundation import blobs
from foundation.errors import ApiError
from foundation.ids import derived_id

# In letters, of up to four bytes: a key of the table ends at 2,048.
_LONGEST_ID = 256


class _Item(BaseModel):
    model_config = ConfigDict(extra="allow")

    input: list[dict[str, Any]]
    completion_id: Annotated[str, MaxLen(_LONGEST_ID)] | None = None


class _FileRow(BaseModel):
    """What a row of an uploaded file must hold, so that models can be asked with it and its results be found again."""

    item: _Item
    request: dict[str, Any] = Field(default_factory=dict)
    latency_ms: Annotated[float, Field(ge=0)] | None = None


class Frozen(NamedTuple):
    """What the frozen object holds; `teacher_answered` where every row has a stored answer of the teacher."""

    rows: int
    bytes: int
    completion_ids: list[str]
    teacher_answered: bool


def freeze(distillation: Distillation) -> Frozen:
    """Write the rows unless they are written, and describe them. Raises ApiError where the file has no usable rows."""
    body = blobs.find(distillation.rows_key)
    if body is None:
        rows = _unique(distillation)
        body = b"".join(orjson.dumps(row) + b"\n" for row in rows)
        if not blobs.put_new(distillation.rows_key, body, content_type="application/jsonl"):
            body = blobs.get(distillation.rows_key)
    rows = [orjson.loads(line) for line in body.splitlines()]
    return Frozen(
        rows=len(rows),
        bytes=len(body),
        completion_ids=[row["item"]["completion_id"] for row in rows],
        teacher_answered=all("sample" in row for row in rows),
    )


def _unique(distillation: Distillation) -> list[dict[str, Any]]:
    kept: dict[str, dict[str, Any]] = {}
    for row in _rows(distillation):
        key = input_key(row["item"]["input"])
        if key not in kept or ("sample" in row and "sample" not in kept[key]):
            kept[key] = row
    return list(kept.values())


def _rows(distillation: Distillation) -> Iterable[dict[str, Any]]:
    source = distillation.test
    if isinstance(source, StoredCompletions):
        completions = index.completions(source, limit=source.limit)
        return (completion.row(with_sample=distillation.teacher in completion.models) for completion in completions)
    return _file_rows(File.load(source.id, param="test.id"))


def _file_rows(file: File) -> Iterator[dict[str, Any]]:
    """Rows of an uploaded file, `{item: {input, reference, …}}`, named after their input where they have no id."""
    body = blobs.find(file.key)
    if body is None:
        raise ApiError("The file in 'test' has no content.", code="file_not_found", param="test.id")
    check_lines(body, "evals", param="test.id")
    for number, line in enumerate(body.splitlines(), start=1):
        if line.strip():
            row = _checked(number, orjson.loads(line))
            item = row["item"]
            item["completion_id"] = item.get("completion_id") or derived_id(
                "chatcmpl-", file.id, input_key(item["input"])
            )
            yield {name: row[name] for name in ("item", "request", "latency_ms") if name in row}


def _checked(number: int, row: dict[str, Any]) -> dict[str, Any]:
    try:
        _FileRow.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        message = f"Line {number} of the file in 'test' cannot be a test row: {where}: {first['msg']}."
        raise ApiError(message, code="invalid_row", param="test.id") from error
    return row
