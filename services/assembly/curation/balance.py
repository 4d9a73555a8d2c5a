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
        members.sort(key=lambda row: (not row.kept, _lot(together.seed, row), row.order))
        if settings.at_most is not None:
            yield from _limited(members, settings.at_most)
        kept = members[: settings.at_most]
        if settings.at_least is not None and len(kept) < settings.at_least:
            yield from _repeated(kept, settings.at_least, settings.most_copies)


def _lot(seed: int, row: Row) -> bytes:
    return hashlib.sha256(f"balance:{seed}:{row.input_key}".encode()).digest()


def _limited(members: list[Row], at_most: int) -> Iterator[Verdict]:
    for row in members[at_most:]:
        yield Verdict(row, Finding(f"Its slice has {len(members)} rows; at most {at_most} are wanted."))


def _repeated(members: list[Row], at_least: int, most_copies: int) -> Iterator[Verdict]:
    """As many copies as bring the slice to its floor, spread over its rows as evenly as that goes."""
    for place, row in enumerate(members):
        copies = min(most_copies, at_least // len(members) + (place < at_least % len(members)))
        if copies > row.copies:
            reason = f"Its slice has {len(members)} rows; at least {at_least} are wanted: it stands {copies} times."
            yield Verdict(row, Finding(reason), copies)
