"""Compute figures from the output items of completed runs, once, and store them.

In: completed runs and what to compute. Out: a document, which is stored in S3 under the run and read from there
afterwards. A run that is open, too large, or not of the eval is refused; the error names its field.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from evals.run import Run, run_of_eval
from foundation import blobs
from foundation.document import Document
from foundation.errors import Conflict, TooLarge
from foundation.ids import derived_id

MOST_ROWS = 100_000
# Reading ends when so little time is left; the rest is for the statistics and for storing them. For two runs of 50,000
# rows in groups these take 3.3 s of a whole CPU, of which a function has half. An HTTP call ends at 30 seconds.
_LEAST_MS = 8_000
# Raised with every change of the documents' content, so that stored ones are computed anew.
_VERSION = 2


def completed_run(eval_id: str, run_id: str, *, param: str) -> Run:
    """The run of this eval, if it is completed and so will never change. Raises NotFound or Conflict."""
    run = run_of_eval(eval_id, run_id, param=param)
    if run.status != "completed":
        raise Conflict(
            f"The run {run.id} is {run.status}; statistics of rows need a completed run.",
            code="run_not_completed",
            param=param,
        )
    return run


def refuse_too_many_rows(*runs: Run) -> None:
    """Raise TooLarge where these runs have more output items than one request can read."""
    rows = sum(run.result_counts.total for run in runs)
    if rows > MOST_ROWS:
        raise TooLarge(
            f"This needs {rows} output items; at most {MOST_ROWS} are read in one request. Take runs of fewer rows.",
            code="too_many_rows",
        )


def stored_or_computed[Kind: Document](
    kind: type[Kind], run: Run, folder: str, question: list[Any], compute: Callable[[], Kind]
) -> Kind:
    """The stored answer to this question about the run, else the computed one, stored."""
    key = f"runs/{run.id}/{folder}/{derived_id('', _VERSION, orjson.dumps(question).decode())}.json"
    stored = blobs.find(key)
    if stored is not None:
        return kind.model_validate_json(stored)
    document = compute()
    blobs.put(key, document.model_dump_json().encode(), content_type="application/json")
    return document


def time_check(context: Any) -> Callable[[], None]:
    """A check that raises TooLarge once too little of the function's time is left for the rest of the work."""

    def check() -> None:
        if context.get_remaining_time_in_millis() < _LEAST_MS:
            raise TooLarge(
                "These rows cannot be read in the time of one request. Ask for a run with fewer rows.",
                code="too_many_rows",
            )

    return check
