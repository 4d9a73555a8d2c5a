"""Look at the traffic of an alias, and tell people once where it has moved away from what its model learnt from.

In: the alias, and when it was asked for. Out: the look, as a row, and an alert where there is news. Delivered twice it
is looked once; what broke off between the row and the alert is brought to its end.
"""

from __future__ import annotations

from typing import Any

from aliases.alias import Alias
from assembly.drift.looked import looked
from distillations.drift import looks
from distillations.drift.document import AliasDrift
from distillations.drift.watched import watched_of
from distillations.report.document import REPORT, DatasetReport
from foundation import blobs, lease
from foundation.drift_messages import LookForDrift
from notifications.alerts import Alert
from notifications.raising import raise_once

_APART_S = 12 * 3600
"""Of two looks: a clock that strikes twice makes no second one."""
_MOST_CONCERNS = 6


def look(message: LookForDrift, context: Any) -> None:
    """Look once. `context` is Lambda's. Raises AtWork where another delivery looks at the same alias."""
    with lease.held(f"DRIFT#{message.alias}", "LOOK", context):
        at = message.at // 1000
        before = looks.latest(message.alias)
        if before is None or at - (before.looked_at or 0) >= _APART_S:
            before = _look(message.alias, before, at)
        if before and before.told_at == before.looked_at:
            raise_once(_alert(before))


def _look(name: str, before: AliasDrift | None, at: int) -> AliasDrift | None:
    """The look, written down; None where there is nothing to look at any more."""
    alias = Alias.find(name)
    watched = watched_of(alias) if alias else None
    body = blobs.find(watched.dataset.key(REPORT)) if watched else None
    if watched is None or body is None:
        return None
    same = before if before and before.dataset_id == watched.dataset.id else None
    drift = looked(name, watched, DatasetReport.model_validate_json(body), same, at)
    looks.keep(drift)
    return drift


def _alert(drift: AliasDrift) -> Alert:
    again = drift.next
    lines = [
        *drift.concerns[:_MOST_CONCERNS],
        *([again.lacks] if again and again.lacks else []),
        *([f"The next distillation is filled in: {again.command}", again.url] if again and not again.lacks else []),
        f"To look at it: stillhouse alias drift {drift.id}",
    ]
    cause = (drift.dataset_id or "", drift.told_at or 0)
    return Alert.of("alias.drifted", drift.id, *cause, sentence=drift.sentence, lines=lines)
