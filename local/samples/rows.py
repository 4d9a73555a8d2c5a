"""Rows of the demo's input file, and how they part into train and test.

In: JSONL of {"messages", "answers"?, "reference", "metadata"?}. Out: `Row`s, each with metadata.split.
Fails with `BadRows`, one line that names the file's line and the field.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

# The API takes 16 pairs; the demo adds its run, the split and the way a completion came in.
MAX_METADATA = 13
SPLITS = ("train", "test")

Text = Annotated[str, Field(min_length=1)]
Tag = Annotated[str, Field(min_length=1, max_length=64)]
Metadata = Annotated[dict[Tag, Annotated[str, Field(max_length=512)]], Field(max_length=MAX_METADATA)]


class BadRows(ValueError):
    """The input file cannot be used; the message says where and why."""


class Message(BaseModel):
    """One message of the prompt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Literal["system", "developer", "user", "assistant"]
    content: Text


class Row(BaseModel):
    """One input with the answers that models gave to it and the right one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    messages: Annotated[list[Message], Field(min_length=1)]
    answers: dict[str, Text] = {}
    reference: Text
    metadata: Metadata = {}

    @field_validator("metadata")
    @classmethod
    def _known_split(cls, value: dict[str, str]) -> dict[str, str]:
        if value.get("split", "train") not in SPLITS:
            raise ValueError(f"split must be 'train' or 'test', not {value['split']!r}")
        return value

    @property
    def split(self) -> str:
        return self.metadata["split"]

    def input_key(self) -> str:
        """Equal for rows with the same messages."""
        return hashlib.sha256(json.dumps(self.prompt()).encode()).hexdigest()

    def prompt(self) -> list[dict[str, str]]:
        return [{"role": message.role, "content": message.content} for message in self.messages]


def read_rows(path: Path) -> list[Row]:
    try:
        with path.open(encoding="utf-8") as lines:
            rows = list(parse_rows(lines, path.name))
    except OSError as error:
        raise BadRows(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise BadRows(f"{path}: not UTF-8 text ({error.reason} at byte {error.start})") from error
    if not rows:
        raise BadRows(f"{path}: no rows")
    return rows


def parse_rows(lines: Iterable[str], name: str) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield Row.model_validate_json(line)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"]) or "the line"
            raise BadRows(f"{name} line {number}: {field}: {first['msg']}") from error


def split_rows(rows: Sequence[Row], *, fraction: float, seed: int) -> list[Row]:
    """Give every row a split: its own, else by a hash, so that equal inputs stay on one side."""
    parted = []
    for row in rows:
        side = row.metadata.get("split") or _side(row, fraction, seed)
        parted.append(row.model_copy(update={"metadata": {**row.metadata, "split": side}}))
    for split in SPLITS:
        if not any(row.split == split for row in parted):
            raise BadRows(f"no row is in {split}: set metadata.split or another --test-fraction")
    return parted


def check_answers(rows: Sequence[Row], model: str) -> bool:
    """Whether `model` is answered for by recordings: on all rows or on none, else BadRows."""
    missing = [number for number, row in enumerate(rows, start=1) if model not in row.answers]
    if missing and len(missing) < len(rows):
        raise BadRows(f"row {missing[0]}: answers.{model}: missing ({len(missing)} rows have no answer of it)")
    return not missing


def halve(rows: Sequence[Row], seed: int) -> tuple[list[Row], list[Row]]:
    """A seeded half for schooling and the rest; equal inputs stay together."""
    schooling = [row for row in rows if _side(row, 0.5, f"{seed}/schooling") == "test"]
    rest = [row for row in rows if _side(row, 0.5, f"{seed}/schooling") == "train"]
    return schooling, rest


def _side(row: Row, fraction: float, seed: int | str) -> str:
    digest = hashlib.sha256(f"{seed}/{row.input_key()}".encode()).digest()
    return "test" if int.from_bytes(digest[:8]) < fraction * 2**64 else "train"
