"""A judge card: how far a judge can be trusted, measured on rows that people have labelled.

In: the labelled rows, each with what the judge found. Out: the card's figures as JSON. People's answer for a row is
what most of them said; a row without a majority, or that the judge could not grade, is counted and left out. A share is
`{count, of, rate, interval}` with Wilson's interval, its rate and interval null where there is nothing to count.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from stats import wilson
from stats.agreement import agreeing_pairs, cohen_kappa, kappa_interval, majority

NO_LABEL = "(no label)"
"""What a judge says that is not of one mind in both orders."""
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


class Labelled(NamedTuple):
    """One row that people labelled. `said` is None where the judge could not grade it.

    `judge` is the model that answered as judge, `model` the one that is judged, as far as they are known.
    """

    item_id: str
    votes: Sequence[str]
    said: str | None
    passed: bool
    position_consistent: bool | None = None
    judge: str | None = None
    model: str = ""


class _Compared(NamedTuple):
    item_id: str
    human: str
    said: str
    human_passes: bool
    passed: bool
    position_consistent: bool | None


def figures(rows: Sequence[Labelled], passing: frozenset[str]) -> dict[str, Any]:
    """The figures of a card; `passing` are the answers of people that let a row pass."""
    graded = [row for row in rows if row.said is not None]
    compared = list(_compared(graded, passing))
    table = Counter((row.human, row.said) for row in compared)
    constant, times = Counter(row.human for row in compared).most_common(1)[0] if compared else (None, 0)
    kappa = kappa_interval(table)
    return {
        "rows": len(rows),
        "n": len(compared),
        "ungraded": len(rows) - len(graded),
        "undecided": len(graded) - len(compared),
        "agreement": share(sum(row.human == row.said for row in compared), len(compared)),
        "kappa": cohen_kappa(table),
        "kappa_interval": list(kappa) if kappa else None,
        "base_rate": share(sum(row.human_passes for row in compared), len(compared)),
        "constant_baseline": {"answer": constant, **share(times, len(compared))},
        "false_pass": _mistakes(compared, passed=True),
        "false_fail": _mistakes(compared, passed=False),
        "confusion": [{"human": human, "judge": said, "rows": count} for (human, said), count in sorted(table.items())],
        "position_consistency": _consistency(compared),
        "human_agreement": _among_people(rows),
        "judge_models": sorted({row.judge for row in rows if row.judge}),
        "models_under_test": sorted({row.model for row in rows if row.model}),
    }


def share(count: int, of: int) -> dict[str, Any]:
    if not of:
        return {"count": count, "of": of, "rate": None, "interval": None}
    return {"count": count, "of": of, "rate": count / of, "interval": list(wilson(count, of))}


def same_family(judge: str | None, models: Iterable[str]) -> dict[str, Any] | None:
    """A warning where judge and models under test seem to be relatives, by a heuristic on their names.

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
    return {"families": names, "models": relatives, "warning": warning}


def _families(model: str) -> set[str]:
    name = model.lower()
    return {family for family, words in _FAMILIES.items() if re.search(rf"(?<![a-z0-9])(?:chat)?(?:{words})", name)}


def _compared(rows: Iterable[Labelled], passing: frozenset[str]) -> Iterable[_Compared]:
    for row in rows:
        human = majority(row.votes)
        if human is not None and row.said is not None:
            yield _Compared(row.item_id, human, row.said, human in passing, row.passed, row.position_consistent)


def _mistakes(rows: list[_Compared], *, passed: bool) -> dict[str, Any]:
    """Of the rows that people let fail, those that the judge passed; or the other way round."""
    truly = [row for row in rows if row.human_passes is not passed]
    wrong = [row.item_id for row in truly if row.passed is passed]
    return {**share(len(wrong), len(truly)), "items": wrong[:_MOST_ITEMS]}


def _consistency(rows: list[_Compared]) -> dict[str, Any] | None:
    asked_twice = [row.position_consistent for row in rows if row.position_consistent is not None]
    return share(sum(asked_twice), len(asked_twice)) if asked_twice else None


def _among_people(rows: Iterable[Labelled]) -> dict[str, Any] | None:
    """No interval: the pairs of one row depend on each other."""
    pairs = agreeing_pairs(row.votes for row in rows)
    return {**share(pairs.agreed, pairs.total), "interval": None} if pairs.total else None
