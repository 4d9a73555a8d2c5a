"""What identifies a provider's answer, as a captured completion can have it: its id, its model and its time.

In: an answer as it came. Out: the same, with whole seconds as its time, and without an id, a model or a time that none
can be, such as a number as an id or milliseconds as a time. The capture then has an id from its content, the model that
was asked, and the time of the call. The caller gets the answer as it came.
"""

from __future__ import annotations

from typing import Any

from completions.completion import LONGEST_ID, SECONDS_END


def with_sound_head(answered: dict[str, Any], *, time: str) -> dict[str, Any]:
    """The answer with a head that can be stored; `time` is the field that has its time."""
    head: dict[str, Any] = {
        "id": _name(answered.get("id")),
        "model": _name(answered.get("model")),
        time: _seconds(answered.get(time)),
    }
    if all(answered.get(name) == value for name, value in head.items()):
        return answered
    return {name: value for name, value in {**answered, **head}.items() if value is not None or name not in head}


def _name(value: Any) -> str | None:
    return value if isinstance(value, str) and 0 < len(value.encode()) <= LONGEST_ID else None


def _seconds(value: Any) -> int | None:
    return int(value) if type(value) in (int, float) and 0 <= value < SECONDS_END else None
