"""Turn JSON values into hashable ones that are equal exactly if the JSON is equal: true is not 1, and 1 is 1.0.

In: a parsed JSON value. Out: tuples, texts and numbers. Comparing two of them takes time in proportion to their size.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any


def canonical(value: Any) -> Hashable:
    if isinstance(value, dict):
        return ("object", *((name, canonical(value[name])) for name in sorted(value)))
    if isinstance(value, list):
        return ("array", *(canonical(member) for member in value))
    return ("boolean", value) if isinstance(value, bool) else value
