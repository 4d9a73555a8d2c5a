"""What a card and a report say of a training set in numbers, and its first cases.

In: a curator that has decided about a set, or about a range of its completions. Out: figures; those of a set are the
sum of those of its ranges.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from heapq import nsmallest
from itertools import chain
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, Field

from assembly.journal import Case
from distillations.leaks import RULES as LEAKS
from distillations.leaks import Leak

if TYPE_CHECKING:
    from assembly.curate import Curator

_IN_CARD = 20
_IN_REPORT = 3
_SHOWN_DROPS = ("contradictions", "malformed", *LEAKS)


class Figures(BaseModel):
    """The figures of a set, or of a range of it."""

    selected: int = 0
    """The completions that came."""
    dropped: dict[str, int] = Field(default_factory=dict)
    """By rule, the completions that it dropped."""
    changed: dict[str, int] = Field(default_factory=dict)
    masked: dict[str, int] = Field(default_factory=dict)
    train_rows: int = 0
    train_lines: int = 0
    """Train rows as often as they stand in the file."""
    validation_rows: int = 0
    tokens: int = 0
    """The tokens of all train lines."""
    bytes: int = 0
    """The bytes of all train lines."""
    synthetic: int = 0
    history_turns: int = 0
    drops: dict[str, list[Case]] = Field(default_factory=dict)
    """The first completions that rules dropped which the card names."""
    cases: dict[str, list[Case]] = Field(default_factory=dict)
    """By rule, the first completions to which it did something."""
    named: list[str] = Field(default_factory=list)
    """The completions that the recipe names by hand, and that came."""
    corrected: list[tuple[int, str]] = Field(default_factory=list)
    """Time and id of the first completions to which a person's answer trains or validates."""

    @classmethod
    def of(cls, curator: Curator) -> Self:
        """The figures of what a curator decided."""
        journal, examples = curator.journal, curator.examples
        train = [example for example in examples if example.place.outcome == "train"]
        drops = {rule: journal.first_dropped(rule, _IN_CARD) for rule in _SHOWN_DROPS}
        return cls(
            selected=journal.selected,
            dropped=journal.dropped,
            changed=dict(sorted(journal.changed.items())),
            masked=dict(sorted(journal.masked.items())),
            train_rows=len(train),
            train_lines=sum(example.place.copies for example in train),
            validation_rows=len(examples) - len(train),
            tokens=sum(row.tokens * place.copies for row, place in train),
            bytes=sum((row.length + 1) * place.copies for row, place in train),
            synthetic=sum(example.row.synthetic for example in examples),
            history_turns=sum(example.row.history_turns for example in examples),
            drops={rule: found for rule, found in drops.items() if found},
            cases=journal.first_by_rule(_IN_REPORT),
            named=curator.named(),
            corrected=[example.row.order for example in examples if example.row.corrected][:_IN_CARD],
        )

    @classmethod
    def sum(cls, parts: Iterable[Self]) -> Self:
        """The figures of ranges together."""
        every = list(parts)
        sums = ("selected", "train_rows", "train_lines", "validation_rows", "tokens", "bytes")
        more = ("synthetic", "history_turns")
        return cls(
            **{name: sum(getattr(part, name) for part in every) for name in (*sums, *more)},
            dropped=_added(part.dropped for part in every),
            changed=dict(sorted(_added(part.changed for part in every).items())),
            masked=dict(sorted(_added(part.masked for part in every).items())),
            drops=_first([part.drops for part in every], _IN_CARD),
            cases=_first([part.cases for part in every], _IN_REPORT),
            named=[name for part in every for name in part.named],
            corrected=nsmallest(_IN_CARD, chain.from_iterable(part.corrected for part in every)),
        )

    @property
    def rows(self) -> int:
        """The rows that train or validate."""
        return self.train_rows + self.validation_rows

    @property
    def contradicted(self) -> list[str]:
        """The first completions whose answer contradicts one that is kept."""
        return [case.id for case in self.drops.get("contradictions", ())]

    @property
    def problems(self) -> list[str]:
        """Why the trainer would refuse the first malformed completions."""
        return [f"{case.id}: {case.evidence.reason}" for case in self.drops.get("malformed", ())]

    @property
    def leaks(self) -> list[Leak]:
        """The first completions that each rule found to leak test rows."""
        return [
            Leak(id=case.id, rule=rule, test_rows=case.evidence.others, score=case.evidence.score)
            for rule in LEAKS
            for case in self.drops.get(rule, ())
        ]

    def left_out(self) -> str:
        """How many each rule left out, in words."""
        return ", ".join(f"{count} {rule}" for rule, count in self.dropped.items() if count) or "none"


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    # Not by adding Counters, which forget zeros: a rule that dropped nothing is named, too.
    total = Counter[str]()
    for one in counts:
        total.update(one)
    return dict(total)


def _first(cases: list[dict[str, list[Case]]], most: int) -> dict[str, list[Case]]:
    rules = dict.fromkeys(rule for one in cases for rule in one)
    together = {rule: [case for one in cases for case in one.get(rule, ())] for rule in rules}
    return {rule: sorted(found, key=lambda case: case.order)[:most] for rule, found in together.items()}
