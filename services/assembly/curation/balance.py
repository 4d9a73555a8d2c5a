"""`balance`: limits the rows of large slices, and repeats those of small ones a bounded number of times.

Which rows of a large slice stay follows from the seed and their questions, behind those that a person keeps. A row
without the key is in no slice.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence

from assembly.curation.rule import Finding, Together, Verdict
from assembly.row import Row
from distillations.recipe import Balance


def decide(rows: Sequence[Row], settings: Balance, together: Together) -> Iterator[Verdict]:
    slices: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if settings.by in row.tags:
            slices[row.tags[settings.by]].append(row)
    for _, members in sorted(slices.items()):
        members.sort(key=lambda row: (not row.kept, lot(together.seed, row), row.order))
        verdicts = (verdict_on(row, place, len(members), settings) for place, row in enumerate(members))
        yield from filter(None, verdicts)


def lot(seed: int, row: Row) -> bytes:
    """By this the rows of a slice are put in order: the first ones stay, and are repeated first."""
    return hashlib.sha256(f"balance:{seed}:{row.input_key}".encode()).digest()


def verdict_on(row: Row, place: int, total: int, settings: Balance) -> Verdict | None:
    """What becomes of the row at this place, from 0, of a slice of `total` rows; None where it stays as it is.

    A slice has as many copies as bring it to its floor, spread over its rows as evenly as that goes.
    """
    kept = total if settings.at_most is None else min(total, settings.at_most)
    if place >= kept:
        return Verdict(row, Finding(f"Its slice has {total} rows; at most {settings.at_most} are wanted."))
    at_least = settings.at_least or 0
    copies = min(settings.most_copies, at_least // kept + (place < at_least % kept))
    if kept >= at_least or copies <= row.copies:
        return None
    reason = f"Its slice has {kept} rows; at least {at_least} are wanted: it stands {copies} times."
    return Verdict(row, Finding(reason), copies)
