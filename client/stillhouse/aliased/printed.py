"""How an alias's drift is printed: lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stillhouse import stack


def drift_lines(found: dict[str, Any]) -> list[str]:
    """The newest look at each slice, and what none of them compares."""
    lines = [line for one in [found, *found["slices"]] for line in _slice(one)]
    keys = found.get("left_out")
    return [*lines, stack.plain(f"left out: {', '.join(keys)}")] if keys else lines


def _slice(found: dict[str, Any]) -> Iterator[str]:
    when = "".join(f" with {key}={value}" for key, value in found["when"].items())
    yield stack.plain(f"{found['status']}{when}: {found['sentence']}")
    yield from (stack.plain(f"  {concern}") for concern in found["concerns"])
    for one in found["newcomers"]:
        field, value, examples = one["field"], one["value"], ", ".join(one["examples"])
        shares = f"{one['other_share']:.1%} of the set, {one['share']:.1%} of the traffic"
        yield stack.plain(f"  new: {field} '{value}' is {shares}; look at {examples}")
    for field in found["fields"]:
        one = field["comparison"]
        since = f"  drifts since {stack.at(field['since'])}" if field["since"] is not None else ""
        yield stack.plain(f"{one['psi']:8.3f}  chance up to {one['psi_noise_95']:.3f}  {one['field']}{since}")
    if found["next"]:
        yield stack.plain(found["next"]["lacks"] or f"next: {found['next']['command']}")
