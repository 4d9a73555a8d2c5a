"""Two completions side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dashboard import turns
from dashboard.answers import Answer, Page
from dashboard.shown import as_json, count, milliseconds, step, when
from dashboard.side_by_side import pairs
from dashboard.stillhouse_api import Asked
from dashboard.visit import Visit
from foundation.errors import ApiError
from foundation.routes import Query, Routes

pages = Routes("Completion pairs")
_TWO = (Query("a", "The one on the left."), Query("b", "The one on the right."))
_MOST_TURNS = 10


@pages.get("/completions/beside", scope="read", query=_TWO)
def compare(visit: Visit) -> Answer:
    """Two completions side by side, with what differs marked."""
    ids = [visit.query.get(name, "").strip() for name in ("a", "b")]
    if not all(ids):
        raise ApiError("Name two completions to compare.", code="missing_required_parameter", param="b")
    paths = [f"/chat/completions/{step(completion_id)}" for completion_id in ids]
    found = visit.api.all(
        [
            *(Asked(path) for path in paths),
            *(Asked(f"{path}/messages", {"limit": str(_MOST_TURNS)}) for path in paths),
        ]
    )
    for completion_id, completion in zip(ids, found[:2], strict=True):
        if completion is None:
            raise ApiError(f"There is no completion {completion_id[:200]}.", code="not_found", status=404)
    first, second, *messages = found
    asked = [page["data"] if page else [] for page in messages]
    content = {
        "first": first,
        "second": second,
        "facts": [(name, ours, theirs, ours == theirs) for name, ours, theirs in _facts(first, second)],
        "messages": pairs(asked[0], asked[1]),
        "more": any(page and page["has_more"] for page in messages),
        "answers": pairs(_answers(first), _answers(second)),
    }
    return Page("completion_pair.html", "Two completions", content)


def _facts(first: dict[str, Any], second: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(name, shown(first), shown(second)) for name, shown in _FACTS.items()]


def _choices(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [choice for choice in found["choices"] if isinstance(choice, dict)]


def _answers(found: dict[str, Any]) -> list[Any]:
    return [choice.get("message") for choice in _choices(found)[:4]]


def _plain(value: Any) -> str:
    return "-" if value is None else value if isinstance(value, str) else as_json(value)


def _ended(found: dict[str, Any]) -> str:
    return ", ".join(str(choice.get("finish_reason")) for choice in _choices(found)) or "the call failed"


def _tags(found: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(found["metadata"].items()))


_FACTS: dict[str, Callable[[dict[str, Any]], str]] = {
    "Time (UTC)": lambda found: when(found["created"]),
    "Model": lambda found: _plain(found["model"]),
    "Tokens": turns.tokens_of,
    "Latency": lambda found: milliseconds(found["latency_ms"]),
    "Ended": _ended,
    "Known right answer": lambda found: _plain(found["reference"]),
    "Tags": _tags,
    "Tools offered": lambda found: count(len(found.get("tools") or [])),
    "Temperature": lambda found: _plain(found.get("temperature")),
}
"""What is said of a completion beside its texts."""
