"""The looks at the traffic of an alias as rows of the table: the newest at each dataset whole, all of them in short.

An alias that has another model for some days goes on with its looks at the first one's dataset.

DRIFT#<alias> / LATEST#<dataset>            the newest look; expires after 400 days
DRIFT#<alias> / LOOK#<seconds>              a look in short; expires after 400 days
DRIFT#<alias> / SLICE#<id>#LATEST#, …#LOOK# the same of a slice; its id follows from its metadata
"""

from __future__ import annotations

import zlib
from itertools import islice

from aliases.alias import When
from distillations.drift.document import DriftLook, TrafficDrift
from foundation import table
from foundation.ids import derived_id

MOST_SHOWN = 90
_LATEST = "LATEST#"
_LOOK = "LOOK#"
_KEPT_S = 400 * 86_400


def latest(alias: str, when: When, dataset_id: str) -> TrafficDrift | None:
    """The newest look at a slice beside this dataset, without its history; None before the first one."""
    row = table.get(_of(alias), f"{_slice(when)}{_LATEST}{dataset_id}")
    return TrafficDrift.model_validate_json(_plain(row["doc"])) if row else None


def history(alias: str, when: When) -> list[DriftLook]:
    """The last looks at a slice in short, the newest first."""
    rows = table.query(_of(alias), prefix=f"{_slice(when)}{_LOOK}", descending=True, limit=MOST_SHOWN)
    return [DriftLook.model_validate_json(row["doc"]) for row in islice(rows, MOST_SHOWN)]


def keep(drift: TrafficDrift) -> None:
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
    pk, of_slice = _of(drift.id), _slice(drift.when)
    table.put({"pk": pk, "sk": f"{of_slice}{_LOOK}{at:012d}", "doc": look.model_dump_json(), "expires": at + _KEPT_S})
    newest = f"{of_slice}{_LATEST}{drift.dataset_id}"
    # Of fifty fields with twenty values each it would be larger than a row may be, and no look would ever be written.
    packed = zlib.compress(drift.model_dump_json().encode())
    table.put({"pk": pk, "sk": newest, "doc": packed, "expires": at + _KEPT_S})


def _plain(doc: str | bytes) -> str | bytes:
    """The JSON of a look; before these were compressed it was text."""
    return doc if isinstance(doc, str) else zlib.decompress(doc)


def _of(alias: str) -> str:
    return f"DRIFT#{alias}"


def _slice(when: When) -> str:
    """How the sort keys of a slice begin."""
    pairs = [part for pair in sorted(when.items()) for part in pair]
    return f"SLICE#{derived_id('slice_', *pairs)}#" if pairs else ""
