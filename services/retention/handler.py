"""Entry point of the hourly sweep: resume what stands still, finish what is half recorded, delete and erase.

Work that one sweep has no time for is left to the next. A failure does not stop the rest; it is raised at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evals.files import discard_late
from foundation import lease
from foundation.consumer import logger
from foundation.links import discard_copies
from retention.erase import erase
from retention.expire import expire
from retention.failures import Failures
from retention.files import discard_expired, erase_runs
from retention.repair import repair
from retention.resume import resume

_MARGIN_MS = 30_000


def sweep_entry(event: dict[str, Any], context: Any) -> None:  # noqa: ARG001 - Lambda gives it
    def goes_on() -> bool:
        return bool(context.get_remaining_time_in_millis() > _MARGIN_MS)

    failures = Failures()
    stages: dict[str, Callable[[], int]] = {
        "resumed": lambda: resume(goes_on, failures),
        "repaired": lambda: repair(goes_on, failures),
        "expired": lambda: expire(goes_on, failures),
        "erased": lambda: erase(goes_on, failures),
        "late_files": lambda: discard_late(goes_on),
        "answers": lambda: discard_copies(goes_on),
        "expired_files": lambda: discard_expired(goes_on, failures),
        "runs_of_deleted_evals": lambda: erase_runs(goes_on, failures),
    }
    done: dict[str, int] = {}
    with lease.held("SWEEP", "completions", context):
        for name, stage in stages.items():
            with failures.kept(name):
                done[name] = stage()
    logger().info("swept", extra=done)
    failures.raise_any()
