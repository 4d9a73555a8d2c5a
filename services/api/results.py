"""Figures that are computed from output items: once, of runs that cannot change any more, within bounds.

In: completed runs and what to compute. Out: a JSON document, kept in S3 under the run and read from there from then on.
Runs that are open, too large, or not of the eval are refused by name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from api.runs import run_of
from evals.run import Run
from evals.slicing import MOST_KEYS
from foundation import blobs
from foundation.errors import ApiError, Conflict, TooLarge
from foundation.ids import derived_id

MOST_ROWS = 100_000
# What is left is for the statistics and for writing them down: two runs of 50,000 rows in groups take 3.3 s of a whole
# CPU, of which a function has half. An HTTP call ends at 30 seconds.
_LEAST_MS = 8_000
# Raised with every change of what the documents say.
_VERSION = 2


def completed_run(eval_id: str, run_id: str, *, param: str) -> Run:
    """The run, if it is completed and so will never change."""
    run = run_of(eval_id, run_id)
    if run.status != "completed":
        raise Conflict(
            f"The run {run.id} is {run.status}; statistics of rows need a completed run.",
            code="run_not_completed",
            param=param,
        )
    return run


def refuse_too_many_rows(*runs: Run) -> None:
    rows = sum(run.result_counts.total for run in runs)
    if rows > MOST_ROWS:
        raise TooLarge(
            f"This needs {rows} output items; at most {MOST_ROWS} are read in one request. Take runs of fewer rows.",
            code="too_many_rows",
        )


def once(run: Run, folder: str, question: list[Any], compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The stored answer to this question about the run, else the computed one, stored."""
    key = f"runs/{run.id}/{folder}/{derived_id('', _VERSION, orjson.dumps(question).decode())}.json"
    stored = blobs.find(key)
    if stored is None:
        stored = orjson.dumps(compute())
        blobs.put(key, stored, content_type="application/json")
    document: dict[str, Any] = orjson.loads(stored)
    return document


def in_time(app: Any) -> Callable[[], None]:
    """A check that refuses, while there is still time to say so, what takes longer than a request may."""

    def check() -> None:
        if app.lambda_context.get_remaining_time_in_millis() < _LEAST_MS:
            raise TooLarge(
                "These rows cannot be read in the time of one request. Ask for a run with fewer rows.",
                code="too_many_rows",
            )

    return check


def names(text: str | None, *, param: str) -> list[str]:
    """Names separated by commas, each once."""
    found = list(dict.fromkeys(name.strip() for name in (text or "").split(",") if name.strip()))
    if len(found) > MOST_KEYS:
        raise ApiError(f"Invalid '{param}': at most {MOST_KEYS} keys.", code="invalid_value", param=param)
    return found
