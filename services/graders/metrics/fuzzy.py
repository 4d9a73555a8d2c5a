"""`fuzzy_match`: rapidfuzz's weighted ratio, as OpenAI's examples of graders use it.

Its work grows with the product of both lengths. From a ratio of the lengths of 1.5 on it also looks for the shorter
text within the longer one, which takes fifty times as long. It raises `TooLarge` for texts that would take more than
about a second. Letters and digits are compared. Where the reference has none, as an emoji, both texts are compared as
they are.
"""

from __future__ import annotations

from graders.grade import NotGradable, TooLarge

_MOST_LETTERS_SQUARED = 1_000_000_000
_MOST_WITHIN = 20_000_000
_SEARCHED_FROM = 1.5


def fuzzy_match(text: str, reference: str) -> float:
    # Imported here: it takes a tenth of a second, and most functions that know the graders never compare texts.
    from rapidfuzz import fuzz, utils

    ours, wanted = utils.default_process(text), utils.default_process(reference)
    if not wanted:
        ours, wanted = text.strip(), reference.strip()
    if not wanted:
        raise NotGradable("the reference is empty")
    shorter, longer = sorted((len(ours), len(wanted)))
    most = _MOST_WITHIN if longer >= _SEARCHED_FROM * shorter else _MOST_LETTERS_SQUARED
    if shorter * longer > most:
        raise TooLarge(
            f"fuzzy_match of {len(ours)} and {len(wanted)} letters costs too much: the product of these lengths may be "
            f"{most}; use rouge_l or gleu for long texts"
        )
    return fuzz.WRatio(ours, wanted) / 100


def version() -> str:
    from rapidfuzz import __version__

    return f"rapidfuzz {__version__}"
