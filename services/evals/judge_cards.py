"""A judge card: how far a judge can be trusted, measured on rows that people have labelled.

In: the labelled rows, each with the judge's answer. Out: a `JudgeCard`. People's answer for a row is that of the
majority; a row without a majority, or that the judge could not grade, is counted and left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from foundation.document import Document
from providers.prices import cost_nanodollars
from providers.usage import ModelUsage
from stats import Interval, wilson
from stats.agreement import agreeing_pairs, cohen_kappa, kappa_interval, majority

NO_LABEL = "(no label)"
"""The answer of a judge that was asked in both orders and gave two different labels."""
_MOST_ITEMS = 200
_FAMILIES = {
    "OpenAI": r"gpt|o[1-9](?![a-z0-9])",
    "Anthropic": r"claude",
    "Google": r"gemini|gemma",
    "Meta": r"llama",
    "Mistral": r"mistral|mixtral|ministral|codestral",
    "Alibaba": r"qwen|qwq",
    "DeepSeek": r"deepseek",
    "Amazon": r"nova(?![a-z])|titan",
    "Cohere": r"command(?![a-z])",
    "xAI": r"grok",
    "Microsoft": r"phi(?![a-z])",
}


class Share(Document):
    """`count` of `of` rows."""

    count: int
    of: int
    rate: float | None
    """`count / of`, from 0 to 1; null where `of` is 0."""
    interval: Interval | None
    """Wilson's 95% interval of the rate; null where there is no rate, or where the rows depend on each other."""


class ConstantBaseline(Share):
    """How often a judge would be right that always gave people's most frequent answer."""

    answer: str | None
    """People's most frequent answer; null where no row was compared."""


class Mistakes(Share):
    """Of the rows that people let pass, or fail, those on which the judge found the opposite."""

    items: list[str]
    """The ids of the output items that the judge got wrong, at most 200."""


class ConfusionCell(Document):
    """How many rows people answered in one way and the judge in another."""

    human: str
    judge: str
    rows: int


class SameFamily(Document):
    """A warning that the judge and models under test seem to be of one family, by a heuristic on their names."""

    families: list[str]
    models: list[str]
    """The models under test that are of the judge's family."""
    warning: str


class CardFigures(Document):
    """How far a judge agrees with people, without its mistakes."""

    rows: int
    """Labelled rows."""
    n: int
    """Compared rows: those with a majority among people that the judge could grade."""
    ungraded: int
    """Rows that the judge could not grade."""
    undecided: int
    """Graded rows on which people have no majority."""
    agreement: Share
    """The share of compared rows on which judge and people give the same answer."""
    kappa: float | None
    """Cohen's kappa, agreement beyond chance, from -1 to 1; null where chance alone would always agree."""
    kappa_interval: Interval | None
    """The 95% interval of kappa; null where its formula gives no width, as at full agreement."""
    base_rate: Share
    """The share of compared rows that people let pass."""
    constant_baseline: ConstantBaseline
    confusion: list[ConfusionCell]
    position_consistency: Share | None
    """Of the rows that the judge was asked about in both orders, those with one answer; null where there are none."""
    human_agreement: Share | None
    """Of all pairs of people who labelled the same row, those who agree, without interval; null without any pair."""
    judge_models: list[str]
    """The models that answered as judge."""
    models_under_test: list[str]
    same_family: SameFamily | None
    per_model_usage: list[ModelUsage]
    """What the calibration itself had graded; empty where its run had been there before."""
    cost_usd: float | None
    """The price of that usage in US dollars; null where a model has no known price."""


class JudgeCard(CardFigures):
    """How far a judge agrees with people, on the rows that people labelled."""

    false_pass: Mistakes
    """Of the rows that people let fail, those that the judge passed."""
    false_fail: Mistakes
    """Of the rows that people let pass, those that the judge failed."""


class JudgedRow(NamedTuple):
    """One row that people labelled. `judged` is the judge's answer, None where it could not grade the row.

    `judge` is the model that answered as judge, `model` the one that is judged, as far as they are known.
    """

    item_id: str
    votes: Sequence[str]
    judged: str | None
    passed: bool
    position_consistent: bool | None = None
    judge: str | None = None
    model: str = ""


class _ComparedRow(NamedTuple):
    item_id: str
    human: str
    judged: str
    human_passes: bool
    passed: bool
    position_consistent: bool | None


def judge_card(
    rows: Sequence[JudgedRow], passing: frozenset[str], *, judge: str | None = None, usage: Sequence[ModelUsage] = ()
) -> JudgeCard:
    """The card. `passing` has the answers that mean that a row passes; `usage` is the usage of the grading."""
    graded = [row for row in rows if row.judged is not None]
    compared = list(_compared(graded, passing))
    table = Counter((row.human, row.judged) for row in compared)
    models_under_test = sorted({row.model for row in rows if row.model})
    cost = cost_nanodollars(usage)
    return JudgeCard(
        rows=len(rows),
        n=len(compared),
        ungraded=len(rows) - len(graded),
        undecided=len(graded) - len(compared),
        agreement=share(sum(row.human == row.judged for row in compared), len(compared)),
        kappa=cohen_kappa(table),
        kappa_interval=kappa_interval(table),
        base_rate=share(sum(row.human_passes for row in compared), len(compared)),
        constant_baseline=_constant_baseline(compared),
        false_pass=_mistakes(compared, passed=True),
        false_fail=_mistakes(compared, passed=False),
        confusion=[ConfusionCell(human=human, judge=judged, rows=n) for (human, judged), n in sorted(table.items())],
        position_consistency=_consistency(compared),
        human_agreement=_agreement_among_people(rows),
        judge_models=sorted({row.judge for row in rows if row.judge}),
        models_under_test=models_under_test,
        same_family=same_family(judge, models_under_test),
        per_model_usage=list(usage),
        cost_usd=None if cost is None else cost / 1e9,
    )


def share(count: int, of: int) -> Share:
    if not of:
        return Share(count=count, of=of, rate=None, interval=None)
    return Share(count=count, of=of, rate=count / of, interval=wilson(count, of))


def same_family(judge: str | None, models: Iterable[str]) -> SameFamily | None:
    """A warning if the judge and some models under test seem to be of one family, judged by their names alone.

    Judges favour what they wrote themselves: Panickssery, Bowman & Feng (2024), "LLM Evaluators Recognize and Favor
    Their Own Generations".
    """
    own = _families(judge or "")
    relatives = sorted(model for model in models if _families(model) & own)
    if not relatives:
        return None
    names = sorted(own)
    warning = (
        f"Judge and model under test seem to be of one family ({', '.join(names)}), by their names alone. "
        "Judges favour their own family: look at false_pass."
    )
    return SameFamily(families=names, models=relatives, warning=warning)


def _families(model: str) -> set[str]:
    name = model.lower()
    return {family for family, words in _FAMILIES.items() if re.search(rf"(?<![a-z0-9])(?:chat)?(?:{words})", name)}


def _compared(rows: Iterable[JudgedRow], passing: frozenset[str]) -> Iterable[_ComparedRow]:
    for row in rows:
        human = majority(row.votes)
        if human is not None and row.judged is not None:
            passes = human in passing
            yield _ComparedRow(row.item_id, human, row.judged, passes, row.passed, row.position_consistent)


def _constant_baseline(rows: list[_ComparedRow]) -> ConstantBaseline:
    answer, times = Counter(row.human for row in rows).most_common(1)[0] if rows else (None, 0)
    return ConstantBaseline(answer=answer, **dict(share(times, len(rows))))


def _mistakes(rows: list[_ComparedRow], *, passed: bool) -> Mistakes:
    """With `passed`, the rows that the judge passed and people failed; else those that it failed and people passed."""
    candidates = [row for row in rows if row.human_passes is not passed]
    wrong = [row.item_id for row in candidates if row.passed is passed]
    return Mistakes(items=wrong[:_MOST_ITEMS], **dict(share(len(wrong), len(candidates))))


def _consistency(rows: list[_ComparedRow]) -> Share | None:
    asked_twice = [row.position_consistent for row in rows if row.position_consistent is not None]
    return share(sum(asked_twice), len(asked_twice)) if asked_twice else None


def _agreement_among_people(rows: Iterable[JudgedRow]) -> Share | None:
    """Without interval: the pairs of one row depend on each other."""
    pairs = agreeing_pairs(row.votes for row in rows)
    return share(pairs.agreed, pairs.total).model_copy(update={"interval": None}) if pairs.total else None
