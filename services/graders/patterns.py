"""Regular expressions that cannot run away: RE2, whose time is at most that of its program times the text.

In: a pattern, and a text. Out: the compiled pattern, and whether the text has it. What RE2 does not have (look-around,
back-references, repeats over 1,000) raises ValueError with the reason, a pattern that is too large for its text
TooLarge.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

from graders.grade import TooLarge

_MOST_STEPS = 30_000_000
"""See `steps`: about a second."""


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


def steps(program: Any, text: str) -> int:
    """What matching costs at worst: the instructions of the compiled pattern, once for each byte of the text."""
    return int(program.programsize) * len(text.encode())


def found(
    pattern: str, text: str, *, where: Literal["anywhere", "whole"] = "anywhere", ignore_case: bool = False
) -> bool:
    """Whether the pattern stands in the text, or is the whole of it. Raises TooLarge."""
    program = compiled(pattern, ignore_case=ignore_case)
    if steps(program, text) > _MOST_STEPS:
        raise TooLarge(
            f"the pattern compiles to {program.programsize} instructions, too many for a text of "
            f"{len(text.encode())} bytes: the product of both may be {_MOST_STEPS}; shorten its repetitions"
        )
    return (program.fullmatch if where == "whole" else program.search)(text) is not None
