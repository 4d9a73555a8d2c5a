"""Bounds on the texts of callers and of other systems that enter a row or a key of the table.

DynamoDB takes rows of 400 KB and sort keys of 1,024 bytes, so a bound counts bytes in UTF-8, not letters. `Name` and
`Text` refuse what is longer where a body is read; `CutName` and `CutText` shorten what other systems say, such as a
provider's error, where it becomes a field of ours.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated

from annotated_types import MaxLen
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

LONGEST_NAME = 256
LONGEST_TEXT = 2048


def in_bytes(longest: int) -> AfterValidator:
    """A check of pydantic's that a text has at most so many bytes in UTF-8."""

    def check(text: str) -> str:
        if len(text.encode()) > longest:
            raise PydanticCustomError("too_long", "it has more than {longest} bytes in UTF-8", {"longest": longest})
        return text

    return AfterValidator(check)


type Name = Annotated[str, MaxLen(LONGEST_NAME), in_bytes(LONGEST_NAME)]
"""What something is called: a model, a criterion, a run. At most 256 bytes."""

type Text = Annotated[str, MaxLen(LONGEST_TEXT), in_bytes(LONGEST_TEXT)]
"""A text that people write and that lies in a row: at most 2,048 bytes."""


def cut(text: str, longest: int = LONGEST_TEXT) -> str:
    """The beginning of a text, at most so many bytes in UTF-8; an ellipsis at its end tells that it was cut."""
    raw = text.encode()
    if len(raw) <= longest:
        return text
    return raw[: longest - 3].decode(errors="ignore") + "…"


CutName = Annotated[str, AfterValidator(partial(cut, longest=LONGEST_NAME))]
"""A name that another system gave: its first 256 bytes."""
CutText = Annotated[str, AfterValidator(cut)]
"""A text that another system wrote: its first 2,048 bytes."""
