"""The metrics of `text_similarity`. In: two texts. Out: how alike they are, from 0 to 1.

To add one: a function and a line here. Every score carries the metric's `definition` and `version`: other systems mean
other figures by the same name, and a threshold for one does not fit another. A version is raised when its scores
change. A metric raises `NotGradable` if the reference has nothing that it can compare, such as no words.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from graders.metrics import fuzzy
from graders.metrics.bleu import bleu, gleu
from graders.metrics.rouge import rouge_l, rouge_n

_OURS = "stillhouse 1"


class Metric(NamedTuple):
    """A function of text and reference, what it computes, and which version of which code computes it."""

    score: Callable[[str, str], float]
    definition: str
    version: Callable[[], str] = lambda: _OURS


METRICS = {
    "fuzzy_match": Metric(
        fuzzy.fuzzy_match,
        "rapidfuzz fuzz.WRatio with utils.default_process (without it where the reference has no letter and no digit), "
        "divided by 100",
        fuzzy.version,
    ),
    "bleu": Metric(bleu, "BLEU-4 as NLTK's sentence_bleu with smoothing method4, mteval-13a tokens, case kept"),
    "gleu": Metric(gleu, "Google BLEU as NLTK's sentence_gleu, 1- to 4-grams, mteval-13a tokens, case kept"),
    **{
        f"rouge_{n}": Metric(
            partial(rouge_n, n=n), f"ROUGE-{n} F-measure as rouge_score, lower-cased words of a-z and 0-9, no stemmer"
        )
        for n in range(1, 6)
    },
    "rouge_l": Metric(
        rouge_l, "ROUGE-L F-measure of the whole text as rouge_score, lower-cased words of a-z and 0-9, no stemmer"
    ),
}
