"""Look at the traffic of an alias, and tell people once where it has moved away from what its model learnt from.

In: the alias, and when it was asked for. Out: the look, as a row, and an alert where there is news. Delivered twice it
is looked once; what broke off between the row and the alert is brought to its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aliases.alias import Alias, Target
from assembly.drift.looked import looked
from distillations.drift import left_out, looks
from distillations.drift.document import TrafficDrift
from distillations.drift.watched import Watched, heaviest, slices_of
from distillations.report.document import REPORT, DatasetReport
from foundation import blobs, lease
from foundation.drift_messages import LookForDrift
from foundation.one_by_one import one_by_one
from notifications.alerts import Alert
from notifications.raising import raise_once

_APART_S = 12 * 3600
"""Of two looks: a clock that strikes twice makes no second one."""
_MOST_CONCERNS = 6


def look(message: LookForDrift, context: Any) -> None:
    """Look once at each slice that a trained model answers; one that cannot be looked at holds no other up.

    `context` is Lambda's.

    Raises AtWork where another delivery looks at the same alias.
    """
    with lease.held(f"DRIFT#{message.alias}", "LOOK", context):
        alias = Alias.find(message.alias)
        if alias is None:
            return
        keys = left_out.of(alias.id)

        def look_at(group: list[Target]) -> None:
            watched = heaviest(group)
            drift = _look(alias, watched, keys, message.at // 1000) if watched else None
            if drift and drift.told_at == drift.looked_at:
                raise_once(_alert(drift))

        one_by_one(slices_of(alias), look_at, name=lambda _: alias.id, failed="a slice's traffic is not looked at")


def _look(alias: Alias, watched: Watched, keys: Sequence[str], at: int) -> TrafficDrift | None:
    """The look, written down, or the one of this day; None where the dataset has no report."""
    before = looks.latest(alias.id, watched.when, watched.dataset.id)
    if before and at - (before.looked_at or 0) < _APART_S:
        return before
    body = blobs.find(watched.dataset.key(REPORT))
    if body is None:
        return None
    drift = looked(alias, watched, DatasetReport.model_validate_json(body), before, at=at, left_out=keys)
    looks.keep(drift)
    return drift


def _alert(drift: TrafficDrift) -> Alert:
    again = drift.next
    lines = [
        *drift.concerns[:_MOST_CONCERNS],
        *([again.lacks] if again and again.lacks else []),
        *([f"The next distillation is filled in: {again.command}", again.url] if again and not again.lacks else []),
        f"To look at it: stillhouse alias drift {drift.id}",
    ]
    cause = (drift.dataset_id or "", drift.told_at or 0, drift.named)
    return Alert.of("alias.drifted", drift.id, *cause, sentence=drift.sentence, lines=lines)
