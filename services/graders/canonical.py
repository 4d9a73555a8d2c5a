"""JSON values made comparable and hashable: equal here where they are equal as JSON, true is not 1, and 1 is 1.0.

In: a value as it was parsed. Out: tuples, texts and numbers, whose comparing takes time by their size alone.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any


def canonical(value: Any) -> Hashable:
    if isinstance(value, dict):
        return ("object", *((name, canonical(value[name])) for name in sorted(value)))
    if isinstance(value, list):
        return ("array", *(canonical(one) for one in value))
    return ("boolean", value) if isinstance(value, bool) else value
