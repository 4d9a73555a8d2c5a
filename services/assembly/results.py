"""What a run that has ended says about the rows of a step, kept beside the dataset.

In: the run. Out: an object with a line `{id, …grade}` for each row, written once: whatever becomes of the run later,
the same grades make the same set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from statistics import fmean
from typing import Any

import orjson

from assembly.wanted import ANSWER_KEY
from completions.same_input import answer_key
from distillations.dataset import Dataset
from distillations.grades import CriterionGrade, RowGrade
from evals.counts import graded_chunks
from evals.outcomes import cut_short
from evals.output_items import read_output_items
from evals.run import Run
from foundation import blobs
from foundation.bounds import LONGEST_NAME, cut

type Read = Callable[[dict[str, Any]], dict[str, Any]]
"""Reads of an output item what a grade says beside where it is from."""


class StoredGrades(Mapping[str, RowGrade]):
    """The grades of a step by row id, held as the lines that they were stored in."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = {orjson.loads(line)["id"]: line for line in lines}

    def __getitem__(self, row_id: str) -> RowGrade:
        return RowGrade.model_validate_json(self._lines[row_id])

    def fields(self, row_id: str) -> dict[str, Any]:
        """All that was stored of a row."""
        fields: dict[str, Any] = orjson.loads(self._lines[row_id])
        return fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)


def stored(dataset: Dataset, name: str) -> StoredGrades | None:
    """The grades of a step; None where they are not stored yet."""
    lines = blobs.raw_lines(dataset.grades_key(name))
    return None if lines is None else StoredGrades(lines)


def store(dataset: Dataset, name: str, run: Run, read: Read) -> None:
    """Store what a completed run found in each row unless that is stored."""

    def line(item: dict[str, Any]) -> bytes:
        fields = {"id": item["datasource_item"]["completion_id"], "step": name, "run_id": run.id, "item_id": item["id"]}
        return orjson.dumps({**fields, **read(item)}) + b"\n"

    lines = read_output_items(run.id, [chunk.chunk for chunk in graded_chunks(run.id)], line)
    blobs.put_new_lines(dataset.grades_key(name), lines, content_type="application/jsonl")


def copy(owner: Dataset, dataset: Dataset, name: str) -> bool:
    """Let a dataset have the grades of a step of another one; False where that has none."""
    lines = blobs.raw_lines(owner.grades_key(name))
    if lines is None:
        return False
    whole = (line.rstrip(b"\n") + b"\n" for line in lines)
    blobs.put_new_lines(dataset.grades_key(name), whole, content_type="application/jsonl")
    return True


def graded(criterion: str | None = None) -> Read:
    """Reads whether an answer passed, and its score: that of this criterion, or the mean of all."""

    def read(item: dict[str, Any]) -> dict[str, Any]:
        criteria = [_criterion(result) for result in item["results"]]
        scores = [found.score for found in criteria if found.score is not None and criterion in {None, found.name}]
        error = _error(item)
        passed = error is None and item["status"] == "pass" and not cut_short(item["sample"]["finish_reason"])
        return {
            "passed": passed,
            "score": fmean(scores) if scores and error is None else None,
            "criteria": [found.model_dump() for found in criteria],
            "error": error,
        }

    return read


def compared() -> Read:
    """Reads whether an answer is the stored one, however it is spelt."""

    def read(item: dict[str, Any]) -> dict[str, Any]:
        error, messages = _error(item), item["sample"]["output"]
        same = bool(messages) and answer_key(messages[0]) == item["datasource_item"][ANSWER_KEY]
        return {"passed": error is None and same, "error": error}

    return read


def _criterion(result: dict[str, Any]) -> CriterionGrade:
    failed = "error" in (result.get("sample") or {})
    return CriterionGrade(
        name=result["name"], passed=result["passed"], score=None if failed else round(result["score"], 6)
    )


def _error(item: dict[str, Any]) -> str | None:
    """The code of the first error: that of the sample, or of a grader."""
    samples = [item["sample"], *(result.get("sample") or {} for result in item["results"])]
    code = next((sample["error"]["code"] for sample in samples if sample.get("error")), None)
    return cut(str(code), LONGEST_NAME) if code else None
