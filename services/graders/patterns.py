"""Regular expressions that cannot run away: RE2, whose time is linear in the text.

In: a pattern. Out: the compiled pattern. What RE2 does not have (look-around, back-references, repeats over 1,000)
raises ValueError with the reason.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any


@lru_cache(maxsize=256)
def compiled(pattern: str, *, ignore_case: bool = False) -> Any:
    import re2  # type: ignore[import-untyped]

    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = not ignore_case
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0].decode() if isinstance(error.args[0], bytes) else error
        raise ValueError(f"RE2 does not take this pattern: {reason}") from error
