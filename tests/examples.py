"""What is tried: all examples of a property and all values of a parameter with `--soak`, a part without."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest

_SHARE = 6
_LEAST = 6


def register() -> None:
    """How long an example takes says nothing on a machine that is shared."""
    hypothesis.settings.register_profile("unit", deadline=None, max_examples=20)
    hypothesis.settings.register_profile("soak", deadline=None, max_examples=300)
    hypothesis.settings.load_profile("unit")


def examples(whole: int) -> int:
    """Of the examples that a property wants, how many it gets now."""
    soak = hypothesis.settings.get_current_profile_name() == "soak"
    return whole if soak else max(_LEAST, whole // _SHARE)


def of_the_soak(*values: Any) -> list[Any]:
    """Values of a parameter that are tried with `--soak` alone; those of several parameters are tuples."""
    alone = pytest.mark.soak(alone=True)
    return [pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=alone) for value in values]
