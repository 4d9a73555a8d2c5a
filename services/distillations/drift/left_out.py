"""The metadata keys that the drift watch of an alias leaves out: those that change by nature, a release or a date.

DRIFT#<alias> / LEFT_OUT    a row; it stays when the alias is deleted, as its looks do
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from foundation import table

MOST_KEYS = 20
_ROW = "LEFT_OUT"


def of(alias: str) -> list[str]:
    """The keys, sorted; none where nobody has named any."""
    row = table.get(f"DRIFT#{alias}", _ROW)
    return list(orjson.loads(row["keys"])) if row else []


def leave_out(alias: str, keys: Iterable[str]) -> list[str]:
    """Leave these keys out from the next look on, and no others."""
    distinct = sorted(set(keys))
    table.put({"pk": f"DRIFT#{alias}", "sk": _ROW, "keys": orjson.dumps(distinct).decode()})
    return distinct
