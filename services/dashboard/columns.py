"""The columns of the table of completions: which there are, and which a page shows.

In: the page's query, in which `col_<name>` chooses a column. Out: the names of the columns, in their order.
"""

from __future__ import annotations

from collections.abc import Mapping

from foundation.routes import Query

COLUMNS = {
    "time": "Time (UTC)",
    "answer": "Answer",
    "model": "Model",
    "tags": "Tags",
    "tokens": "Tokens",
    "latency": "Latency",
    "ended": "Ended",
    "reference": "Known answer",
    "origin": "From",
}
"""By name, what a column is called. What was asked is always there: it is the link."""
_USUAL = ("time", "answer", "model", "tags", "tokens", "latency", "ended")
_PREFIX = "col_"
QUERY = tuple(Query(f"{_PREFIX}{name}", f"Whether the column {name} is shown.") for name in COLUMNS)


def chosen(query: Mapping[str, str]) -> list[str]:
    """The columns that a page shows: the usual ones where none is chosen."""
    return [name for name in COLUMNS if f"{_PREFIX}{name}" in query] or list(_USUAL)


def kept_columns(query: Mapping[str, str]) -> dict[str, str]:
    """What a page says of columns, for the links that lead on from it."""
    return {name: value for name, value in query.items() if name.startswith(_PREFIX)}
