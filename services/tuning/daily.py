"""What is done once a day: tell of models that end, retire losers, find lost jobs, have traffic looked at for drift.

A part that raises holds no other up; the first error is raised at the end, for the alarm.
"""

from __future__ import annotations

from collections.abc import Callable

from distillations.drift.watched import watched_aliases
from foundation import bus
from foundation.consumer import logger
from foundation.drift_messages import LookForDrift
from tuning.doubtful import look_for
from tuning.lost import retire_lost
from tuning.shutdowns import tell_of_shutdowns


def look_for_drift() -> None:
    """Have the traffic of each alias looked at that a trained model answers for; where there is none, nothing runs."""
    bus.send_all(LookForDrift(alias=alias, correlation_id=watched.dataset.id) for alias, watched in watched_aliases())


_PARTS: tuple[Callable[[], None], ...] = (tell_of_shutdowns, retire_lost, look_for, look_for_drift)


def daily() -> None:
    """Do every part of the day's work."""
    errors: list[Exception] = []
    for part in _PARTS:
        try:
            part()
        except Exception as error:  # noqa: BLE001 - the other parts are still to be done
            logger().exception("the day's work failed", extra={"part": part.__name__})
            errors.append(error)
    if errors:
        raise errors[0]
