"""The Files API: the record of each file, and the check of the lines of those that are rows of evals.

In: the bytes of a JSONL file. Out: nothing, or an ApiError with the first bad line's number, a code and what is wrong,
so that later readers can rely on every line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Any, ClassVar, Literal, Self

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from foundation import blobs, table
from foundation.errors import ApiError, NotFound
from foundation.ids import derived_id, now
from foundation.links import LINK_S
from foundation.records import Record

EXPIRING = "EXPIRING"
"""The partition of the files that expire; their sort keys are `<expires at>#<id>`."""
_LATE = "LATE"
type FileStatus = Literal["uploaded", "processed"]
_BOM = b"\xef\xbb\xbf"


class File(Record):
    """A file of the Files API: its bytes lie at `key`. `uploaded` is one whose bytes nobody has looked at yet."""

    KIND: ClassVar[str] = "FILE"
    NAME: ClassVar[str] = "file"

    object: Literal["file"] = "file"
    bytes: int
    filename: str
    purpose: str
    status: FileStatus = "processed"
    expires_at: int | None = None
    report: dict[str, Any] | None = None
    """What was found in a file of training examples; null for others, and while nobody has looked at it."""
    key: str

    @property
    def owned(self) -> bool:
        """Whether it was uploaded, and is no part of something else."""
        return self.key == file_key(self.id)

    @classmethod
    def load(cls, record_id: str, *, param: str = "id") -> Self:
        """Raises NotFound naming `param`, also where it has expired."""
        file = super().load(record_id, param=param)
        if file.expired:
            raise NotFound(cls.NAME, record_id, param=param)
        return file

    def create(self) -> bool:
        """Write it, its entry in the list of those that expire first."""
        if self.expires_at is not None:
            table.put({"pk": EXPIRING, "sk": f"{self.expires_at:010d}#{self.id}"})
        return super().create()

    @property
    def expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= now()

    def public(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude={"key"})

    def discard(self) -> None:
        """Delete the bytes and what is known of them. A link may bring bytes later: the sweep deletes those."""
        open_until = self.created_at + LINK_S
        if open_until > now():
            table.put({"pk": _LATE, "sk": f"{open_until}#{self.key}", "key": self.key})
        blobs.delete([self.key])
        self.remove()


def rows_file_id(run_id: str) -> str:
    """The id of the file that holds the inline rows of a run, where they are many."""
    return derived_id("file-", run_id)


def file_key(file_id: str) -> str:
    return f"files/{file_id}"


def discard_late(goes_on: Callable[[], bool]) -> int:
    """Delete what links brought after their file was deleted, once no link is open; how many files were looked at."""
    looked_at = 0
    for row in table.query(_LATE, before=str(now())):
        if not goes_on():
            break
        blobs.delete([row["key"]])
        table.delete(_LATE, row["sk"])
        looked_at += 1
    return looked_at


class _Failure(BaseModel):
    message: str


class _Choice(BaseModel):
    message: dict[str, Any]


class _Usage(BaseModel):
    model_config = ConfigDict(extra="allow")

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    cached_tokens: int | None = None
    prompt_tokens_details: dict[str, int | None] | None = None


class _Grade(BaseModel):
    name: str
    passed: bool
    score: FiniteFloat
    sample: dict[str, Any] | None = None


class _Sample(BaseModel):
    output_text: str | None = None
    grades: list[_Grade] = Field(default_factory=list)
    error: _Failure | None = None
    choices: list[_Choice] = Field(default_factory=list)
    usage: _Usage | None = None
    model: str = ""


def _usable(sample: dict[str, Any]) -> dict[str, Any]:
    _Sample.model_validate(sample)
    return sample


class Row(BaseModel):
    """A row as users give it: `item` for templates, `sample` where an answer is already there.

    A sample may bring the `grades` it got elsewhere, or the `error` that came in its place.
    """

    item: dict[str, Any]
    sample: Annotated[dict[str, Any], AfterValidator(_usable)] | None = None


def check_lines(body: bytes, *, param: str = "file") -> None:
    """Raises ApiError where the file is no JSONL of rows."""
    for _ in checked(body.splitlines(), param=param):
        pass


def file_of_rows(file_id: str, *, param: str) -> File:
    """The file with this id, if it is one of rows. Raises NotFound, or ApiError where it has another purpose."""
    file = File.load(file_id, param=param)
    if file.purpose != "evals":
        raise ApiError(
            f"The file {file_id} has the purpose '{file.purpose}': rows are read from files of the purpose 'evals'.",
            code="invalid_purpose",
            param=param,
        )
    return file


def checked(lines: Iterable[bytes], *, param: str = "file") -> Iterator[dict[str, Any]]:
    """The row on each line that is not empty; raises ApiError at the first that cannot be taken, or without any."""
    return (row for _, row in numbered(lines, param=param))


def numbered(lines: Iterable[bytes], *, param: str = "file") -> Iterator[tuple[int, dict[str, Any]]]:
    """The same, each with the number of its line, from 1."""
    any_row = False
    for number, line in enumerate(lines, start=1):
        if number == 1 and line.startswith(_BOM):
            raise _refused(1, "utf8_bom", "starts with a byte order mark; save the file as UTF-8 without it", param)
        if not line.strip():
            continue
        any_row = True
        row = _parsed(number, line, param)
        _check_row(number, row, param)
        yield number, row
    if not any_row:
        raise ApiError("The file holds no rows.", code="no_rows", param=param)


def _parsed(number: int, line: bytes, param: str) -> dict[str, Any]:
    try:
        line.decode()
        row = orjson.loads(line)
    except UnicodeDecodeError as error:
        raise _refused(number, "invalid_utf8", "is not UTF-8", param) from error
    except orjson.JSONDecodeError as error:
        if number == 1 and line.startswith(b"["):
            raise _no_lines(param) from error
        code = "invalid_unicode" if "surrogate" in error.msg else "invalid_json"
        raise _refused(number, code, f"is not valid JSON: {error.msg}", param) from error
    if isinstance(row, dict):
        return row
    raise _no_lines(param) if number == 1 else _refused(number, "data_type", "is not a JSON object", param)


def _no_lines(param: str) -> ApiError:
    return _refused(1, "not_jsonl", "is not a JSON object: write one object on each line, without a list", param)


def _check_row(number: int, row: dict[str, Any], param: str) -> None:
    try:
        Row.model_validate(row)
        orjson.dumps(row)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        why = f'is not {{"item": {{…}}, "sample"?: {{…}}}}: {where}: {first["msg"]}'
        raise _refused(number, "invalid_row", why, param) from error
    except orjson.JSONEncodeError as error:
        raise _refused(number, "too_deep", "is nested too deep", param) from error


def _refused(number: int, code: str, why: str, param: str) -> ApiError:
    return ApiError(f"Line {number} {why}.", code=code, param=param)
