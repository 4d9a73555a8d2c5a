"""What is done once a day: tell of models that end, retire those that lost their verdict, look for lost jobs.

A part that raises holds no other up; the first error is raised at the end, for the alarm.
"""

from __future__ import annotations

from collections.abc import Callable

from foundation.consumer import logger
from tuning.doubtful import look_for
from tuning.lost import retire_lost
from tuning.shutdowns import tell_of_shutdowns

_PARTS: tuple[Callable[[], None], ...] = (tell_of_shutdowns, retire_lost, look_for)


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
