"""Texts are bounded in bytes, because rows and keys are."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from foundation.bounds import LONGEST_NAME, Name, cut

NAME: TypeAdapter[str] = TypeAdapter(Name)


@pytest.mark.parametrize("text", ["", "n" * LONGEST_NAME, "é" * (LONGEST_NAME // 2)])
def test_a_name_within_its_bytes_is_taken(text: str) -> None:
    assert NAME.validate_python(text) == text


@pytest.mark.parametrize("text", ["n" * (LONGEST_NAME + 1), "é" * (LONGEST_NAME // 2 + 1)])
def test_a_name_of_more_bytes_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match=str(LONGEST_NAME)):
        NAME.validate_python(text)


@pytest.mark.parametrize("text", ["no, " * 100, "é" * 100, "😀" * 100])
def test_a_long_text_is_cut_between_letters(text: str) -> None:
    short = cut(text, 50)
    assert len(short.encode()) <= 50
    assert short.endswith("…")
    assert text.startswith(short[:-1])


def test_a_short_text_stays() -> None:
    assert cut("stays", 5) == "stays"
