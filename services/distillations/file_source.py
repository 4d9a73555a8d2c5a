"""An uploaded file of training examples as a source of a dataset, and the names of its lines as rows.

In: a file's id and the number of a line. Out: the id of the row, from which both can be told again.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from foundation.bounds import Name
from foundation.document import Document

_ROW_ID = re.compile(r"(file-[0-9A-Za-z]+):([0-9]{6,})")


class FileSource(Document):
    """An uploaded file of the purpose `fine-tune`: each line is a row."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["file_id"]
    id: Name
    model: Annotated[Name, Field(min_length=1)] | None = None
    """The model whose answers the lines have. Without it nobody knows, and no distillation takes them for its
    teacher's."""


class FileLine(Document):
    """A line of an uploaded file."""

    file_id: str
    line: int
    """The number of the line, from 1."""


def row_id(file_id: str, line: int) -> str:
    """The id of a line as a row of a dataset. Of a file's first million lines the ids are in the order of the lines."""
    return f"{file_id}:{line:06}"


def line_of(row: str) -> FileLine | None:
    """The line that is the row with this id; None for a stored completion, and for what a teacher wrote."""
    found = _ROW_ID.fullmatch(row) if row.startswith("file-") else None
    return FileLine(file_id=found[1], line=int(found[2])) if found else None
