"""Read a training file line by line and report what a trainer would not take, what was mended, and what looks odd.

In: raw lines, a format, and whether its rows are examples in OpenAI's shape, as uploads are, or rows of the format
itself. Out: a report. One line is held at a time, and eight bytes for each of the first 200,000 rows, by which
repetitions are found. A file that is no JSONL of such rows at all is told once, at its first line, and read no further;
nor is one that has a thousand errors, since a file of millions of wrong rows would take minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import orjson

from distillations.formats import FORMATS, OPENAI, Method, format_named
from distillations.formats.comparing import Compared
from distillations.formats.format import Fault, Row
from distillations.formats.lines import Line, mended
from distillations.formats.report import MOST_FINDINGS, FileReport, Findings, Level
from foundation.blobs import LineTooLong
from foundation.foreign_json import MOST_LEVELS, is_deeper

MOST_ERRORS = 1_000
"""With so many errors a file is read no further: there may be more."""
MENDING: Mapping[str, Level] = {
    "conflicting_target": "error",
    "duplicate_row": "repaired",
    "fenced_target": "repaired",
    "over_token_limit": "error",
}
"""What becomes of a file with an odd row where odd rows do not train. Without a word on it a row is only told of."""
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_MENDED = {
    "blank_line": "the line is empty and was left out",
    "control_characters": "the texts have NUL characters, which were taken out",
    "utf8_bom": "the file starts with a byte order mark, which was taken off",
}


class Checked(NamedTuple):
    """The report on a file, and the lines that are repaired: those that are left out, and those with a fence."""

    report: FileReport
    repeated: set[int]
    fenced: set[int]


class _NoRow(Exception):
    """A line holds no row. `whole` says that the file is of another kind: reading on would tell nothing."""

    def __init__(self, code: str, why: str, *, whole: bool = False) -> None:
        super().__init__(why)
        self.code = code
        self.whole = whole


def report_on(
    lines: Iterable[bytes], name: str, *, examples: bool = True, least: int = 1, wanted: int = 1
) -> FileReport:
    """The report on a file that is to train by the format of this name. What is odd about a row is only told.

    `least` is how many rows it must have, `wanted` how many it should.
    """
    return checked(lines, name, {}, examples=examples, least=least, wanted=wanted).report


def checked(
    lines: Iterable[bytes],
    name: str,
    levels: Mapping[str, Level],
    *,
    examples: bool = True,
    least: int = 1,
    wanted: int = 1,
) -> Checked:
    """The report on a file, in which what is odd about a row has one of these levels, by its code."""
    reading = _Reading(name, levels, examples=examples)
    try:
        for line in mended(lines):
            reading.take(line)
            if reading.findings.errors >= MOST_ERRORS:
                break
        reading.end(least, wanted)
    except LineTooLong as error:
        reading.findings.add(reading.number + 1, "line_too_long", error.message.rstrip("."))
    except _NoRow as no_row:
        reading.findings.add(1, no_row.code, str(no_row))
    return Checked(reading.findings.report(name, reading.rows), reading.repeated, reading.fenced)


def example_on(text: bytes) -> Row | Fault:
    """The example on one line of a file, in OpenAI's format of supervised training, or why it is none."""
    try:
        row = _row(next(mended([text]))._replace(number=0))
    except _NoRow as no_row:
        return Fault("", no_row.code, str(no_row))
    return format_named(OPENAI["supervised"]).fault(row) or row


class _Reading:
    """A file that is being read."""

    def __init__(self, name: str, levels: Mapping[str, Level], *, examples: bool) -> None:
        format_ = format_named(name)
        self._fault: Callable[[Row], Fault | None] = format_.fault if examples else format_.row_fault
        self._method = FORMATS[name].method if examples else None
        self._levels = levels
        self._blank: list[int] = []
        self._compared = Compared()
        self.repeated: set[int] = set()
        self.fenced: set[int] = set()
        self.rows = 0
        self.number = 0
        self.findings = Findings()

    def take(self, line: Line) -> None:
        """Look at a line. Raises _NoRow where the whole file is of another kind."""
        self.number = line.number
        if not line.text:
            if len(self._blank) < MOST_FINDINGS:
                self._blank.append(line.number)
            return
        self._tell_mended(line)
        self.rows += 1
        try:
            row = _row(line)
            if line.number == 1 and self._method:
                _refuse_other_kinds(row, self._method)
        except _NoRow as no_row:
            if no_row.whole:
                raise
            self.findings.add(line.number, no_row.code, str(no_row))
            return
        self._look_at(line.number, row)

    def end(self, least: int, wanted: int) -> None:
        """Say what only the whole file tells."""
        if self.rows < max(least, wanted) and not self.findings.errors:
            have = f"the file has {self.rows} rows, and at least {max(least, wanted)} are needed"
            self.findings.add(None, "too_few_examples", have, "error" if self.rows < least else "warning")
        for number, fenced in self._compared.other_targets():
            level = self._levels.get("fenced_target", "warning") if fenced else "warning"
            if level == "repaired":
                self.fenced.add(number)
            odd = "the other answers are JSON and this one is not"
            mended = "the other answers are JSON alone, and the fence around this one was taken off"
            self.findings.add(number, "target_schema_mismatch", mended if level == "repaired" else odd, level)

    def _look_at(self, number: int, row: Row) -> None:
        fault = self._fault(row)
        if fault:
            self.findings.add(number, fault.code, fault.why, field=fault.field)
            return
        for code, message in self._compared.oddities(number, row):
            level = self._levels.get(code, "warning")
            if level == "repaired":
                self.repeated.add(number)
            self.findings.add(number, code, f"{message}: left out" if level == "repaired" else message, level)

    def _tell_mended(self, line: Line) -> None:
        """Note what was mended; empty lines only where a row follows, since those at the end are none."""
        for number in self._blank:
            self.findings.add(number, "blank_line", _MENDED["blank_line"], "repaired")
        self._blank.clear()
        for code in line.mended:
            self.findings.add(line.number, code, _MENDED[code], "repaired")


def _row(line: Line) -> Row:
    """The object on a line. Raises _NoRow."""
    first = line.number == 1
    if first and line.text.startswith(_UTF16):
        raise _NoRow("invalid_utf8", "the file is UTF-16", whole=True)
    try:
        line.text.decode()
        row = orjson.loads(line.text)
    except UnicodeDecodeError:
        raise _NoRow("invalid_utf8", "it is not UTF-8") from None
    except orjson.JSONDecodeError as error:
        if first and line.text.lstrip().startswith(b"["):
            raise _NoRow("not_jsonl", "the file is one list", whole=True) from None
        code = "invalid_unicode" if "surrogate" in error.msg else "invalid_json"
        raise _NoRow(code, f"it is no JSON: {error.msg}") from None
    if not isinstance(row, dict):
        raise _NoRow("not_jsonl" if first else "data_type", "the row is no JSON object", whole=first)
    if is_deeper(row, MOST_LEVELS):
        raise _NoRow("too_deep", f"it is nested deeper than {MOST_LEVELS} levels")
    return row


def _refuse_other_kinds(row: Row, method: Method) -> None:
    """Raises _NoRow where a first row is none of the method's, so that those behind it are none either."""
    if method == "dpo" and "messages" in row:
        raise _NoRow("other_method", "the rows are examples, and the method asks for pairs", whole=True)
    if method == "supervised" and "preferred_output" in row:
        raise _NoRow("other_method", "the rows are pairs, and the method asks for examples", whole=True)
    if "conversations" in row:
        raise _NoRow("foreign_format", "the rows are ShareGPT's", whole=True)
    if "prompt" in row and "completion" in row:
        raise _NoRow("legacy_format", "the rows are prompts and completions", whole=True)
