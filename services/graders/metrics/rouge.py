"""`rouge_1` to `rouge_5` and `rouge_l`: the F-measure, equal to the `rouge_score` package (which needs numpy).

Its words are runs of a-z and 0-9 in the lower-cased text. It cannot compare texts in other scripts: a reference
without such words raises `NotGradable`. Source: Lin 2004, in the form of google-research's `rouge_score`.
"""

from __future__ import annotations

import re
from collections import Counter

from graders.grade import NotGradable, TooLarge

_WORD = re.compile(r"[a-z0-9]+")
_MOST_PAIRS = 1_000_000_000
"""The most pairs of words, one of each text: the longest common subsequence of so many takes about half a second."""


def rouge_n(text: str, reference: str, *, n: int) -> float:
    ours, theirs = (_ngrams(words, n) for words in _words(text, reference))
    if not theirs:
        raise NotGradable(f"the reference has fewer than {n} words that ROUGE counts (a-z, 0-9)")
    return _f_measure((ours & theirs).total(), ours.total(), theirs.total())


def rouge_l(text: str, reference: str) -> float:
    # Imported here, as in `fuzzy`: it takes a tenth of a second.
    from rapidfuzz.distance import LCSseq

    ours, theirs = _words(text, reference)
    if len(ours) * len(theirs) > _MOST_PAIRS:
        raise TooLarge(
            f"rouge_l of {len(ours)} and {len(theirs)} words costs too much: the product of these counts may be "
            f"{_MOST_PAIRS}; use rouge_1 or rouge_2 for long texts"
        )
    return _f_measure(LCSseq.similarity(ours, theirs), len(ours), len(theirs))


def _words(text: str, reference: str) -> tuple[list[str], list[str]]:
    wanted = _WORD.findall(reference.lower())
    if not wanted:
        raise NotGradable("the reference has no word that ROUGE counts (a-z, 0-9)")
    return _WORD.findall(text.lower()), wanted


def _ngrams(words: list[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(words[start:] for start in range(n)), strict=False))


def _f_measure(shared: int, ours: int, theirs: int) -> float:
    return 2 * shared / (ours + theirs) if shared else 0.0
