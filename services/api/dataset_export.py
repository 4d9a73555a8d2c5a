"""A dataset's examples in the format of another trainer.

In: a dataset, one of its files, and a format. Out: the key of the file in that format, written when it is first asked
for and kept with the dataset. Fails with an ApiError that names the first lines which the format cannot hold, unless
those are to be left out.
"""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from distillations.dataset import Dataset
from distillations.formats import FORMATS, OPENAI, Method, format_named
from distillations.formats.report import FileReport
from distillations.formats.validator import MOST_ERRORS, report_on
from foundation import blobs
from foundation.errors import ApiError, NotFound

_PARAM = "format"
_MOST_BYTES = 64 * 1024 * 1024
_MOST_ROWS = 80_000
"""What is written within the time of one request: however short a row is, it takes a fifth of a millisecond."""
_NAMED = 5


def exported(dataset: Dataset, split: str, name: str | None, *, leave_out: bool) -> str:
    """The key of a file in the format of this name; the file as it is without a name."""
    own = dataset.key(f"{split}.jsonl")
    if name is None or name == OPENAI[dataset.method]:
        return own
    _refuse_method(name, dataset.method)
    _refuse_large(blobs.size(own), _rows(dataset, split))
    key = dataset.key(f"exports/{split}.{name}{'.some' if leave_out else ''}.jsonl")
    if not blobs.exists(key):
        if not leave_out:
            _refuse_lines(own, name)
        blobs.put_lines(key, _lines(own, name), content_type="application/jsonl")
        if Dataset.find(dataset.id) is None:
            # It was deleted while this was written, and nobody would delete this any more.
            blobs.delete([key])
            raise NotFound(Dataset.NAME, dataset.id, param="dataset_id")
    return key


def _rows(dataset: Dataset, split: str) -> int:
    card = dataset.card
    if card is None:
        return 0
    return card.validation_rows if split == "validation" else card.train_lines or card.train_rows


def _refuse_method(name: str, method: Method) -> None:
    if FORMATS[name].method != method:
        able = ", ".join(known for known, entry in FORMATS.items() if entry.method == method)
        raise ApiError(
            f"Invalid 'format': the dataset's method is '{method}'. Use one of {able}.",
            code="invalid_value",
            param=_PARAM,
        )


def _refuse_large(size: int, rows: int) -> None:
    if size > _MOST_BYTES or rows > _MOST_ROWS:
        raise ApiError(
            f"Invalid 'format': the file has more than {_MOST_BYTES} bytes or {_MOST_ROWS} rows, and is not rewritten "
            "on request. Make the dataset in parts, or download it as it is; a job's trainer gets its own format at "
            "any size.",
            code="export_too_large",
            param=_PARAM,
        )


def _refuse_lines(own: str, name: str) -> None:
    report = report_on(_read(own), name, least=0)
    errors = [finding for finding in report.findings if finding.level == "error"]
    if errors:
        named = " ".join(str(finding) for finding in errors[:_NAMED])
        raise ApiError(
            f"{report.errors} of {_read_of(report)} rows cannot be written as '{name}': {named} Ask with "
            "leave_out=true for the file without them, or make the dataset for a trainer of this format.",
            code="no_counterpart",
            param=_PARAM,
        )


def _read_of(report: FileReport) -> str:
    return f"the first {report.rows}" if report.errors >= MOST_ERRORS else str(report.rows)


def _lines(own: str, name: str) -> Iterator[bytes]:
    format_ = format_named(name)
    examples = (orjson.loads(line) for line in _read(own))
    return (format_.line(example) + b"\n" for example in examples if format_.fault(example) is None)


def _read(own: str) -> Iterator[bytes]:
    return blobs.raw_lines(own) or iter(())
