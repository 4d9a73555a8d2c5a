"""Usage: volume, tokens, cost and latency by model, day or tag, with plots; what was spent this month."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dashboard.answers import Answer, Page
from dashboard.filters import FIELDS, query_of
from dashboard.plotted import plotted
from dashboard.shown import text
from dashboard.stillhouse_api import Asked
from dashboard.visit import Visit
from foundation.routes import Query, Routes
from plots import Bar, Figure, bars

pages = Routes("Usage")
_QUERY = (
    *(Query(name, "A field of the filter.") for name in FIELDS),
    Query("group_by", "What a line is."),
    Query("price_as", "The model whose price stands beside."),
    Query("all", "Count every completion, however long that takes."),
)
_COUNTED = 20_000
"""The newest completions that are counted unasked: a hundred thousand would take more than a second."""
_MOST_BARS = 24
_MOST_LETTERS = 40
_WORDS = {
    "model": "model",
    "day": "day",
    "model,day": "model and day",
    "alias": "alias",
    "alias,model": "alias and model",
}


@pages.get("/usage", scope="read", query=_QUERY)
def usage(visit: Visit) -> Answer:
    """What was asked, by model, by day or by a tag."""
    group, price_as = visit.query.get("group_by", "model"), visit.query.get("price_as", "")
    asked = {**query_of(visit.query), "group_by": group, **({"price_as": price_as} if price_as else {})}
    if not visit.query.get("all"):
        asked["most"] = str(_COUNTED)
    used, costs = visit.api.all([Asked("/usage", asked), Asked("/costs")])
    highest = max((line["completions"] for line in used["data"]), default=0)
    content = {
        "usage": used,
        "costs": costs,
        "group_by": group,
        "groups": list(_WORDS),
        "price_as": price_as,
        "saved": _saved(used["data"]),
        "highest": highest,
        "counted": _COUNTED,
        "query": dict(visit.query),
        "plots": list(plotted(_figures(used["data"], _WORDS.get(group, group)))),
    }
    return Page("usage.html", "Usage", content)


def _saved(lines: list[dict[str, Any]]) -> float | None:
    """What all lines together would cost more with the other model; None where a cost of one is not known."""
    differences = [
        line["cost_as_usd"] - line["cost_usd"]
        for line in lines
        if line["cost_as_usd"] is not None and line["cost_usd"] is not None
    ]
    return sum(differences) if lines and len(differences) == len(lines) else None


def _figures(lines: list[dict[str, Any]], by: str) -> Iterable[Figure | None]:
    """Volume, tokens, cost and latency of the groups: by day in order of time, otherwise the largest first."""
    shown = lines[-_MOST_BARS:] if by == "day" else sorted(lines, key=lambda line: -line["completions"])[:_MOST_BARS]
    if not shown:
        return
    yield bars(
        f"Completions by {by}",
        "How many completions were captured, and how many of these calls failed.",
        ["captured", "failed"],
        [Bar(_name(line), [line["completions"], line["failed"]]) for line in shown],
    )
    yield bars(
        f"Tokens by {by}",
        "Tokens of what was asked and of the answers.",
        ["asked", "answered"],
        [Bar(_name(line), [line["prompt_tokens"], line["completion_tokens"]]) for line in shown],
    )
    priced = [line for line in shown if line["cost_usd"] is not None]
    yield bars(
        f"Cost by {by}",
        "US dollars by the price list; groups with a model that has no price are left out.",
        ["US dollars"],
        [Bar(_name(line), [line["cost_usd"]]) for line in priced],
    )
    timed = [line for line in shown if line["latency_ms"]]
    yield bars(
        f"Latency by {by}",
        "Milliseconds that half of the answers took at most, and that 99 in 100 took at most.",
        ["half", "99 in 100"],
        [Bar(_name(line), [line["latency_ms"]["p50"], line["latency_ms"]["p99"]]) for line in timed],
    )


def _name(line: Mapping[str, Any]) -> str:
    return ", ".join(text(value if value is not None else "(none)")[:_MOST_LETTERS] for value in line["group"].values())
