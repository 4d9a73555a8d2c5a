"""The looks at the traffic of an alias as rows of the table: the newest one whole, those before it in short.

DRIFT#<alias> / LATEST           the newest look, and how many there were: a look takes the place of the one before
DRIFT#<alias> / LOOK#<seconds>   a look in short; expires after 400 days
"""

from __future__ import annotations

from itertools import islice

from distillations.drift.document import AliasDrift, DriftLook
from foundation import table

MOST_SHOWN = 90
_LATEST = "LATEST"
_LOOK = "LOOK#"
_KEPT_S = 400 * 86_400


def latest(alias: str) -> AliasDrift | None:
    """The newest look, without its history; None before the first one."""
    row = table.get(_of(alias), _LATEST)
    return AliasDrift.model_validate_json(row["doc"]) if row else None


def history(alias: str) -> list[DriftLook]:
    """The last looks in short, the newest first."""
    rows = table.query(_of(alias), prefix=_LOOK, descending=True, limit=MOST_SHOWN)
    return [DriftLook.model_validate_json(row["doc"]) for row in islice(rows, MOST_SHOWN)]


def keep(drift: AliasDrift) -> None:
    """Write a look. Written twice it is there once: its time is that of the message that asked for it."""
    at = drift.looked_at or 0
    worst = max(drift.fields, key=lambda field: (field.since is not None, field.comparison.psi), default=None)
    look = DriftLook(
        at=at,
        status=drift.status,
        rows=drift.rows,
        field=worst and worst.comparison.field,
        psi=worst and worst.comparison.psi,
        psi_noise_95=worst and worst.comparison.psi_noise_95,
        drifted=[field.comparison.field for field in drift.drifted],
    )
    in_short = {"pk": _of(drift.id), "sk": f"{_LOOK}{at:012d}", "doc": look.model_dump_json(), "expires": at + _KEPT_S}
    table.put(in_short)
    table.put({"pk": _of(drift.id), "sk": _LATEST, "doc": drift.model_dump_json()})


def _of(alias: str) -> str:
    return f"DRIFT#{alias}"
