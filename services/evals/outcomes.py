"""The outcome of each row of a run: passed, failed or errored, by completion id.

In: a run's output items. Out: `RowOutcome`s. A truncated, filtered or malformed answer counts as failed whatever the
graders say, as in the run's counts. An errored row counts neither as passed nor as failed: the error is that of a
provider or a grader, and says nothing about the model.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Container, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson

from evals.counts import graded_chunks
from evals.output_items import read_output_items
from evals.run import Run
from evals.slicing import Tagging, metadata_of

_CUT_SHORT = ("length", "content_filter", "malformed_model_output", "malformed_tool_use")
_NONE: Mapping[str, Any] = MappingProxyType({})


class Result(NamedTuple):
    """One criterion's result on a row; `score` is None if it is no finite number."""

    passed: bool
    score: float | None


class RowOutcome(NamedTuple):
    """The outcome of one row: `tags` are its metadata or the tags to slice by, `results` are by criterion.

    `content` is a hash of the row's item, by which rows that have only a number are compared within this process.
    `confidence` is how sure the model was of its answer; None where it did not say.
    """

    passed: bool
    errored: bool
    item_id: str
    tags: Mapping[str, str]
    results: Mapping[str, Result] = _NONE
    content: int | None = None
    confidence: float | None = None


def row_outcomes(
    run: Run, tags_of: Tagging = metadata_of, *, each_chunk: Callable[[], None] = lambda: None
) -> dict[str, RowOutcome]:
    """The outcome of every row of a run. Chunks are read eight at once; an error of `each_chunk` stops the reading.

    Of rows that share a name the second is `<name>#2`, so that they pair in their order.
    """
    by_row: dict[str, RowOutcome] = {}
    times: Counter[str] = Counter()

    def named(item: dict[str, Any]) -> tuple[str, RowOutcome]:
        return row_id(item["datasource_item"], item["datasource_item_id"]), outcome_of(item, tags_of)

    chunks = [chunk.chunk for chunk in graded_chunks(run.id)]
    for row, outcome in read_output_items(run.id, chunks, named, each_chunk=each_chunk):
        by_row[unused_name(row, by_row, times)] = outcome
    return by_row


def unused_name(row: str, taken: Container[str], times: Counter[str]) -> str:
    """The name of a row, or of one that shares it with rows before `<name>#2` and so on; `times` counts them."""
    name = row
    while name in taken:
        times[row] += 1
        name = f"{row}#{times[row] + 1}"
    return name


def cut_short(finish_reason: str | None) -> bool:
    """Whether an answer was truncated, filtered or malformed. Such a row counts as failed; its item has the grades."""
    return finish_reason in _CUT_SHORT


def row_id(item: dict[str, Any], number: int) -> str:
    """The name by which rows of different runs pair: the completion's id, else the row's number."""
    return str(item.get("completion_id") or number)


def outcome_of(item: dict[str, Any], tags_of: Tagging) -> RowOutcome:
    """The outcome that an output item has."""
    row = item["datasource_item"]
    return RowOutcome(
        passed=item["status"] == "pass" and not cut_short(item["sample"]["finish_reason"]),
        errored=item["errored"],
        item_id=item["id"],
        tags=tags_of(row),
        results={result["name"]: _result(result) for result in item.get("results", [])},
        confidence=item["sample"].get("confidence"),
        content=None if row.get("completion_id") else hash(orjson.dumps(row, option=orjson.OPT_SORT_KEYS)),
    )


def _result(result: dict[str, Any]) -> Result:
    score = result["score"]
    usable = isinstance(score, int | float) and math.isfinite(score)
    return Result(result["passed"], float(score) if usable else None)
