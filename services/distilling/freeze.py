"""Freeze the test rows of a distillation: once, before anything is measured.

In: the `test` source. Out: one JSONL object that all three runs read, written once whatever is redelivered. Of rows
with the same input the first is kept, or the first that the teacher answered; it says how many others there were.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from tempfile import TemporaryFile
from typing import IO, Annotated, Any, NamedTuple

import orjson
from annotated_types import MaxLen
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from completions import index
from completions.completion import input_key
from completions.sources import StoredCompletions
from distillations.distillation import Distillation
from evals.files import File, checked
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
    """What the frozen object holds; `teacher_answered` where every row has a stored answer of the teacher.

    `duplicates` are the completions, or lines of the file, that asked what a row asks already.
    """

    rows: int
    duplicates: int
    bytes: int
    completion_ids: list[str]
    teacher_answered: bool


def freeze(distillation: Distillation) -> Frozen:
    """Write the rows unless they are written, and describe them. Raises ApiError where the file has no usable rows."""
    key = distillation.rows_key
    if not blobs.exists(key):
        with TemporaryFile() as spool:
            blobs.put_new_lines(key, _unique(distillation, spool), content_type="application/jsonl")
    return _described(key)


def _described(key: str) -> Frozen:
    """What lies there, read row by row; without rows there is no object."""
    size, duplicates, answered = 0, 0, True
    completion_ids: list[str] = []
    for line in blobs.raw_lines(key) or ():
        row = orjson.loads(line)
        size += len(line)
        duplicates += row.get("duplicates", 0)
        completion_ids.append(row["item"]["completion_id"])
        answered = answered and "sample" in row
    return Frozen(len(completion_ids), duplicates, size, completion_ids, answered)


class _Kept(NamedTuple):
    """Where a row lies in the spool, whether the teacher answered it, and how many others had its input."""

    offset: int
    length: int
    answered: bool
    duplicates: int


def _unique(distillation: Distillation, spool: IO[bytes]) -> Iterator[bytes]:
    """The lines to freeze. Which row of an input is kept is known at the end; until then all wait in the spool."""
    kept: dict[str, _Kept] = {}
    for row in _rows(distillation):
        key, answered = input_key(row["item"]["input"]), "sample" in row
        earlier = kept.get(key)
        duplicates = earlier.duplicates + 1 if earlier else 0
        if earlier and (earlier.answered or not answered):
            kept[key] = earlier._replace(duplicates=duplicates)
        else:
            kept[key] = _Kept(spool.tell(), spool.write(orjson.dumps(row)), answered, duplicates)
    for line in kept.values():
        spool.seek(line.offset)
        yield _line(spool.read(line.length), line.duplicates)


def _line(row: bytes, duplicates: int) -> bytes:
    counted = orjson.dumps({**orjson.loads(row), "duplicates": duplicates}) if duplicates else row
    return counted + b"\n"


def _rows(distillation: Distillation) -> Iterable[dict[str, Any]]:
    source = distillation.test
    if isinstance(source, StoredCompletions):
        completions = index.completions(source, limit=source.limit)
        return (completion.row(with_sample=distillation.teacher in completion.models) for completion in completions)
    return _file_rows(File.load(source.id, param="test.id"))


def _file_rows(file: File) -> Iterator[dict[str, Any]]:
    """Rows of an uploaded file, `{item: {input, reference, …}}`, named after their input where they have no id."""
    for _ in checked(_lines(file), "evals", param="test.id"):
        pass
    for number, line in enumerate(_lines(file), start=1):
        if line.strip():
            row = _checked(number, orjson.loads(line))
            item = row["item"]
            item["completion_id"] = item.get("completion_id") or derived_id(
                "chatcmpl-", file.id, input_key(item["input"])
            )
            yield {name: row[name] for name in ("item", "request", "latency_ms") if name in row}


def _lines(file: File) -> Iterator[bytes]:
    lines = blobs.raw_lines(file.key)
    if lines is None:
        raise ApiError("The file in 'test' has no content.", code="file_not_found", param="test.id")
    return lines


def _checked(number: int, row: dict[str, Any]) -> dict[str, Any]:
    try:
        _FileRow.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        message = f"Line {number} of the file in 'test' cannot be a test row: {where}: {first['msg']}."
        raise ApiError(message, code="invalid_row", param="test.id") from error
    return row
