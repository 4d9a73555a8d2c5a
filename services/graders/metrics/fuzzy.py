"""`fuzzy_match`: rapidfuzz's weighted ratio, as OpenAI's examples of graders use it."""

from __future__ import annotations

from graders.grade import NotGradable


def fuzzy_match(text: str, reference: str) -> float:
    from rapidfuzz import fuzz, utils

    wanted = utils.default_process(reference)
    if not wanted:
        raise NotGradable("the reference has no letter and no digit to compare")
    return fuzz.WRatio(utils.default_process(text), wanted) / 100


def version() -> str:
    from rapidfuzz import __version__

    return f"rapidfuzz {__version__}"
