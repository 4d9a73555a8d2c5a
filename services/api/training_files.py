"""What an uploaded file of training examples is held against, and what is kept of it.

In: its bytes, and the trainer that it is for. Out: the bytes to keep and the report on them, or an ApiError that names
the first lines which no such trainer takes. What harms no example is mended, and the report says what.
"""

from __future__ import annotations

from typing import NamedTuple

import orjson

from distillations.formats import OPENAI, Method
from distillations.formats.lines import examples, mended
from distillations.formats.report import FileReport, OddRows
from distillations.formats.validator import MENDING, MOST_ERRORS, checked
from distillations.trainers import entry_of
from foundation.errors import ApiError

_NAMED = 5
_SHOWN = 20
_DEFAULT = "default"


class TrainingContent(NamedTuple):
    """What is kept of an upload."""

    content: bytes
    report: FileReport


def accepted(content: bytes, trainer: str | None, odd_rows: OddRows = "mend") -> TrainingContent:
    """The content as it may train, by the trainer of this name, else as OpenAI takes it. Raises ApiError.

    Odd rows are those that a trainer takes and a person should not want: repeated and contradicting ones, those longer
    than a window, answers in a fence. They are mended or refused, or kept and told of.
    """
    lines = content.splitlines(keepends=True)
    method = _method(lines)
    entry = entry_of(trainer or _DEFAULT)
    name = (entry.formats if trainer else OPENAI).get(method)
    if name is None:
        raise ApiError(
            f"Invalid 'trainer': '{trainer}' trains on no pairs. Use one of the trainers with the method 'dpo'.",
            code="invalid_value",
            param="trainer",
        )
    levels = MENDING if odd_rows == "mend" else {}
    report, repeated, fenced = checked(lines, name, levels, wanted=entry.least_examples)
    if report.rows - len(repeated) < entry.least_examples <= report.rows:
        # As a whole it is enough to train on, which it should not cease to be by our doing.
        told = {code: level for code, level in levels.items() if code != "duplicate_row"}
        report, repeated, fenced = checked(lines, name, told, wanted=entry.least_examples)
    if report.errors:
        raise _refusal(report)
    kept = b"".join(examples(lines, repeated, fenced)) if report.repaired else content
    shown = report.findings[:_SHOWN]
    more = report.more + len(report.findings) - len(shown)
    return TrainingContent(kept, report.model_copy(update={"findings": shown, "more": more}))


def _method(lines: list[bytes]) -> Method:
    """The method that the first row is for; what is no row is told by the report."""
    first = next((line.text for line in mended(lines) if line.text), b"")
    try:
        row = orjson.loads(first)
    except orjson.JSONDecodeError:
        return "supervised"
    return "dpo" if isinstance(row, dict) and "preferred_output" in row else "supervised"


def _refusal(report: FileReport) -> ApiError:
    errors = [finding for finding in report.findings if finding.level == "error"]
    named = " ".join(str(finding) for finding in errors[:_NAMED])
    more = report.errors - min(len(errors), _NAMED)
    at_least = "at least " if report.errors >= MOST_ERRORS else ""
    rest = f" And {at_least}{more} more." if more else ""
    keep = " Or upload the file with odd_rows=keep." if all(error.code in MENDING for error in errors) else ""
    return ApiError(f"{named}{rest}{keep}", code=errors[0].code, param="file")
