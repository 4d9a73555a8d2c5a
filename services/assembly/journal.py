"""What became of each completion that came: which rule dropped or changed it, and on what evidence.

In: what rules found, as they find it. Out: counts by rule, and a `DatasetRow` for each completion, in the order of time
and id.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from assembly.curation.rule import Finding
from distillations.dataset_row import Corrected, DatasetRow, Evidence, Outcome

_MOST_OTHERS = 10


class Place(NamedTuple):
    """Where a row stands: the file, the number of its first line, and how often it stands there."""

    outcome: Outcome
    line: int
    copies: int


class Journal:
    """Every completion once, and the evidence for what was done to it."""

    def __init__(self, rules: Iterable[str]) -> None:
        self._created: dict[str, int] = {}
        self._evidence: dict[str, list[Evidence]] = defaultdict(list)
        self._dropped: dict[str, list[str]] = {rule: [] for rule in rules}
        self.changed: Counter[str] = Counter()

    @property
    def selected(self) -> int:
        """How many completions came."""
        return len(self._created)

    @property
    def dropped(self) -> dict[str, int]:
        """How many completions each rule dropped."""
        return {rule: len(ids) for rule, ids in self._dropped.items()}

    def came(self, completion_id: str, created: int) -> bool:
        """Note that a completion came. False where it came before."""
        if completion_id in self._created:
            return False
        self._created[completion_id] = created
        return True

    def drop(self, completion_id: str, rule: str, finding: Finding) -> None:
        self._note(completion_id, rule, finding, "dropped")
        self._dropped[rule].append(completion_id)

    def note_change(
        self,
        completion_id: str,
        rule: str,
        finding: Finding,
        action: Literal["changed", "repeated"] = "changed",
        *,
        corrected: Corrected | None = None,
    ) -> None:
        self._note(completion_id, rule, finding, action, corrected)
        self.changed[rule] += 1

    def dropped_by(self, rule: str, most: int) -> list[str]:
        """The first completions, in the order of time and id, that a rule dropped."""
        return sorted(self._dropped.get(rule, ()), key=self._order)[:most]

    def why(self, completion_id: str) -> Evidence:
        """The last that was done to a completion."""
        return self._evidence[completion_id][-1]

    def rows(self, places: dict[str, Place]) -> Iterator[DatasetRow]:
        """What became of each completion. One that has no place was dropped."""
        for completion_id in sorted(self._created, key=self._order):
            place = places.get(completion_id, Place("dropped", 0, 0))
            yield DatasetRow(
                id=completion_id,
                outcome=place.outcome,
                line=place.line or None,
                copies=place.copies,
                evidence=self._evidence.get(completion_id, []),
            )

    def _order(self, completion_id: str) -> tuple[int, str]:
        return self._created[completion_id], completion_id

    def _note(
        self,
        completion_id: str,
        rule: str,
        finding: Finding,
        action: Literal["dropped", "changed", "repeated"],
        corrected: Corrected | None = None,
    ) -> None:
        score = None if finding.score is None else round(finding.score, 4)
        others = list(finding.others)[:_MOST_OTHERS]
        noted = Evidence(
            rule=rule, action=action, reason=finding.reason, others=others, score=score, corrected=corrected
        )
        self._evidence[completion_id].append(noted)
