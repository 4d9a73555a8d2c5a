"""Entry point of the hourly sweep: finish half-recorded objects, delete what expired, erase what was deleted.

What one sweep has no time for is left to the next.
"""

from __future__ import annotations

from typing import Any

from evals.files import discard_late
from foundation import lease
from foundation.consumer import logger
from retention.erase import erase
from retention.expire import expire
from retention.repair import repair

_MARGIN_MS = 30_000


def sweep_entry(event: dict[str, Any], context: Any) -> None:  # noqa: ARG001 - Lambda gives it
    def goes_on() -> bool:
        return bool(context.get_remaining_time_in_millis() > _MARGIN_MS)

    with lease.held("SWEEP", "completions", context):
        done = {
            "repaired": repair(goes_on),
            "expired": expire(goes_on),
            "erased": erase(goes_on),
            "late_files": discard_late(goes_on),
        }
    logger().info("swept", extra=done)
