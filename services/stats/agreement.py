"""How far two raters agree, such as a judge and the people whose labels it is held against.

In: how often the first said one thing and the second another, or several people's labels of each row. Out: Cohen's
kappa and its interval, the majority, and how far people agree among themselves. None stands for what the rows cannot
tell; negative counts raise ValueError.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from stats.normal import two_sided_z
from stats.proportion import Interval

_NO_WIDTH = 1e-9

type Table = Mapping[tuple[str, str], int]
"""Rows by what the first and what the second rater said."""


class _Shares(NamedTuple):
    n: int
    agreed: float
    by_chance: float
    first: Counter[str]
    second: Counter[str]


def cohen_kappa(table: Table) -> float | None:
    """(agreed - by chance) / (1 - by chance): 0 is what two raters reach who do not look at the row.

    Cohen (1960), "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20:37-46.
    None where both always say the same one thing, or there are no rows: then nothing is left to explain.
    """
    shares = _shares(table)
    if shares is None or shares.by_chance >= 1.0:
        return None
    return (shares.agreed - shares.by_chance) / (1.0 - shares.by_chance)


def kappa_interval(table: Table, confidence: float = 0.95) -> Interval | None:
    """Interval of kappa from its large-sample variance.

    Fleiss, Cohen & Everitt (1969), "Large sample standard errors of kappa and weighted kappa", Psychological Bulletin
    72:323-327. None where it has no width, as at full agreement: a handful of rows would look like proof.
    """
    z = two_sided_z(confidence)
    shares, kappa = _shares(table), cohen_kappa(table)
    if shares is None or kappa is None:
        return None
    rest = 1.0 - kappa
    squares = math.fsum(
        count / shares.n * ((a == b) - (shares.second[a] + shares.first[b]) / shares.n * rest) ** 2
        for (a, b), count in table.items()
    )
    variance = (squares - (kappa - shares.by_chance * rest) ** 2) / (shares.n * (1.0 - shares.by_chance) ** 2)
    half = z * math.sqrt(max(0.0, variance))
    return Interval(max(-1.0, kappa - half), min(1.0, kappa + half)) if half > _NO_WIDTH else None


def majority(votes: Sequence[str]) -> str | None:
    """What most said; None where two things were said equally often, or nothing was."""
    ranked = Counter(votes).most_common(2)
    if not ranked or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
        return None
    return ranked[0][0]


class Pairs(NamedTuple):
    """Pairs of people who labelled the same row."""

    agreed: int
    total: int


def agreeing_pairs(rows: Iterable[Sequence[str]]) -> Pairs:
    """Of all pairs of labels of one row, how many are the same."""
    agreed = total = 0
    for votes in rows:
        total += math.comb(len(votes), 2)
        agreed += sum(math.comb(count, 2) for count in Counter(votes).values())
    return Pairs(agreed, total)


def _shares(table: Table) -> _Shares | None:
    if any(count < 0 for count in table.values()):
        raise ValueError(f"counts must not be negative: {table}")
    n = sum(table.values())
    if n == 0:
        return None
    first: Counter[str] = Counter()
    second: Counter[str] = Counter()
    for (a, b), count in table.items():
        first[a] += count
        second[b] += count
    agreed = sum(count for (a, b), count in table.items() if a == b) / n
    # In whole numbers, so that two raters of one mind are at exactly 1.
    by_chance = sum(first[label] * second[label] for label in first) / (n * n)
    return _Shares(n, agreed, by_chance, first, second)
