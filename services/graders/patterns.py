"""Regular expressions whose time is bounded: RE2 takes at most the size of its program times the length of the text.

In: a pattern, and a text. Out: the compiled pattern, and whether the text matches it. A pattern with what RE2 does not
have (look-around, back-references, repeats over 1,000) raises ValueError with the reason. A pattern that is too large
for its text raises TooLarge.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Literal

from graders.grade import TooLarge

_MOST_STEPS = 30_000_000
"""The most `steps` of one match, which take about a second."""


@lru_cache(maxsize=256)
def compiled(pattern: str, *, ignore_case: bool = False) -> Any:
    # Imported here: most functions that know the graders never match a pattern, and start sooner without.
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
    """The most steps that a match can take: each instruction of the compiled pattern for each byte of the text."""
    return int(program.programsize) * len(text.encode())


def is_in(
    pattern: str, text: str, *, where: Literal["anywhere", "whole"] = "anywhere", ignore_case: bool = False
) -> bool:
    """Whether the pattern matches somewhere in the text, or the whole text. Raises TooLarge."""
    program = compiled(pattern, ignore_case=ignore_case)
    if steps(program, text) > _MOST_STEPS:
        raise TooLarge(
            f"the pattern compiles to {program.programsize} instructions, too many for a text of "
            f"{len(text.encode())} bytes: the product of both may be {_MOST_STEPS}; shorten its repetitions"
        )
    return (program.fullmatch if where == "whole" else program.search)(text) is not None
