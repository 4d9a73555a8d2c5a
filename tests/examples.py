"""How many examples a property gets: all of them with `--soak`, a part without, so that the unit tests end soon."""

from __future__ import annotations

import hypothesis

_SHARE = 4
_LEAST = 8


def register() -> None:
    """How long an example takes says nothing on a machine that is shared."""
    hypothesis.settings.register_profile("unit", deadline=None, max_examples=30)
    hypothesis.settings.register_profile("soak", deadline=None, max_examples=300)
    hypothesis.settings.load_profile("unit")


def examples(whole: int) -> int:
    """Of the examples that a property wants, how many it gets now."""
    soak = hypothesis.settings.get_current_profile_name() == "soak"
    return whole if soak else max(_LEAST, whole // _SHARE)
