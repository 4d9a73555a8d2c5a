"""The cards of a form as a browser sends them."""

from __future__ import annotations

from dashboard.grader_cards import new_card


def cards(*kinds: str, **typed: str) -> dict[str, str]:
    """Cards of these kinds as they begin; what is `typed` stands in each that has such a field."""
    fields: dict[str, str] = {}
    for number, kind in enumerate(kinds):
        values = {"kind": kind, **new_card(kind).values}
        fields |= {f"g{number}.{name}": typed.get(name, value) for name, value in values.items()}
    return fields
