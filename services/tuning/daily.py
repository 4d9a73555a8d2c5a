"""What is done once a day: tell of models that end, retire losers, find lost jobs, have traffic looked at for drift.

A part that raises holds no other up, and no alias another one; the first error is raised at the end, for the alarm.
"""

from __future__ import annotations

from collections.abc import Callable

from aliases.alias import Alias, every_alias
from distillations.drift.watched import heaviest, slices_of
from foundation import bus
from foundation.drift_messages import LookForDrift
from foundation.one_by_one import one_by_one
from tuning.doubtful import look_for
from tuning.lost import retire_lost
from tuning.shutdowns import tell_of_shutdowns


def look_for_drift() -> None:
    """Have the traffic of each alias looked at that a trained model answers for; where there is none, nothing runs."""
    one_by_one(every_alias(), _look, name=lambda alias: alias.id, failed="an alias's traffic is not looked at")


def _look(alias: Alias) -> None:
    watched = next(filter(None, map(heaviest, slices_of(alias))), None)
    if watched:
        message = LookForDrift(alias=alias.id, correlation_id=watched.dataset.id)
        bus.send(message)


_PARTS: tuple[Callable[[], None], ...] = (tell_of_shutdowns, retire_lost, look_for, look_for_drift)


def daily() -> None:
    """Do every part of the day's work."""
    one_by_one(_PARTS, lambda part: part(), name=lambda part: part.__name__, failed="the day's work failed")
