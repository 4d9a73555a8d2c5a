"""Delete the files that have expired, and the runs of evals that were deleted, with all their bytes.

A run of a distillation stays, since a verdict rests on it. A run is deleted an hour after its eval: by then no worker
can still be writing a row of it, and no request still be making one.
"""

from __future__ import annotations

from collections.abc import Callable

from evals.eval import GONE_EVALS, Eval
from evals.files import EXPIRING, File
from evals.run import Run
from foundation import table
from foundation.ids import now
from retention.failures import Failures

_GRACE_S = 3600


def discard_expired(goes_on: Callable[[], bool], failures: Failures) -> int:
    """Delete expired files as long as `goes_on()` is true. Returns how many entries were worked on."""
    return _each(EXPIRING, now(), goes_on, failures, _discard)


def erase_runs(goes_on: Callable[[], bool], failures: Failures) -> int:
    """Delete the runs of deleted evals as long as `goes_on()` is true. Returns how many evals were worked on."""
    return _each(GONE_EVALS, now() - _GRACE_S, goes_on, failures, _erase_runs)


def _each(
    partition: str, before: int, goes_on: Callable[[], bool], failures: Failures, work: Callable[[str], None]
) -> int:
    """Work on the ids of the entries before this time, in seconds since the epoch; an entry goes when that is done."""
    done = 0
    for entry in list(table.query(partition, before=f"{before:010d}")):
        if not goes_on():
            break
        with failures.kept(f"{partition} {entry['sk']}"):
            work(entry["sk"].partition("#")[2])
            table.delete(entry["pk"], entry["sk"])
            done += 1
    return done


def _discard(file_id: str) -> None:
    file = File.find(file_id)
    if file and file.expired:
        file.discard()


def _erase_runs(eval_id: str) -> None:
    # The criteria of a recipe have an eval that follows from them: deleted, it is there again with the next dataset.
    anew = Eval.find(eval_id)
    earlier = (run for run in Run.every(parent=eval_id) if anew is None or run.created_at < anew.created_at)
    own = [run.id for run in earlier if run.distillation_id is None]
    for run_id in own:
        run = Run.find(run_id)
        if run:
            run.cancel()
            run.erase()
