"""What became of each completion that came: which rule dropped or changed it, and on what evidence.

In: what rules found, as they find it. Out: counts by rule, and a `DatasetRow` for each completion, in the order of time
and id. Evidence is held as JSON, in a third of the memory of its model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from heapq import nsmallest
from typing import Any, Literal, NamedTuple

import orjson
from pydantic import BaseModel

from assembly.curation.rule import Finding
from distillations.dataset_row import Action, Corrected, DatasetRow, Evidence, Outcome
from distillations.file_source import line_of
from distillations.grades import RowGrade

_MOST_OTHERS = 10


class Place(NamedTuple):
    """Where a row stands: the file, the number of its first line, and how often it stands there."""

    outcome: Outcome
    line: int
    copies: int


class Case(BaseModel):
    """A completion to which a rule did something."""

    created: int
    id: str
    evidence: Evidence

    @property
    def order(self) -> tuple[int, str]:
        return self.created, self.id


class Journal:
    """Every completion once, and the evidence for what was done to it."""

    def __init__(self, rules: Iterable[str]) -> None:
        self._created: dict[str, int] = {}
        # The members of a JSON array for each completion.
        self._evidence: dict[str, bytes] = {}
        self._dropped: dict[str, list[str]] = {rule: [] for rule in rules}
        self._grades: dict[str, bytes] = {}
        self._synthetic: set[str] = set()
        self.changed: Counter[str] = Counter()
        self.masked: Counter[str] = Counter()

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

    def knows(self, completion_id: str) -> bool:
        """Whether a completion came."""
        return completion_id in self._created

    def drop(self, completion_id: str, rule: str, finding: Finding) -> None:
        self._note(completion_id, rule, finding, "dropped")

    def note_change(
        self,
        completion_id: str,
        rule: str,
        finding: Finding,
        action: Literal["changed", "repeated", "overruled"] = "changed",
        *,
        corrected: Corrected | None = None,
    ) -> None:
        self._note(completion_id, rule, finding, action, corrected)

    def note_written(self, completion_id: str, rule: str, finding: Finding) -> None:
        """Note that a completion came that was written, and for what."""
        self._synthetic.add(completion_id)
        self._note(completion_id, rule, finding, "added")

    def note_grade(self, completion_id: str, grade: RowGrade) -> None:
        """Note what a run found in the answer of a completion."""
        noted, earlier = grade.model_dump_json().encode(), self._grades.get(completion_id)
        self._grades[completion_id] = noted if earlier is None else earlier + b"," + noted

    def first_dropped(self, rule: str, most: int) -> list[Case]:
        """The first completions, in the order of time and id, that a rule dropped, and why."""
        first = nsmallest(most, self._dropped.get(rule, ()), key=self._order)
        return [self._case(completion_id, self._evidence_of(completion_id)[-1]) for completion_id in first]

    def first_by_rule(self, most: int) -> dict[str, list[Case]]:
        """By rule, the first completions, in the order of time and id, that it did something to, and what it did."""
        by_rule: dict[str, list[str]] = {}
        for completion_id, evidence in self._evidence.items():
            for noted in orjson.loads(b"[" + evidence + b"]"):
                by_rule.setdefault(noted["rule"], []).append(completion_id)
        first = {rule: nsmallest(most, ids, key=self._order) for rule, ids in by_rule.items()}
        return {rule: [self._case(name, self._evidence_by(rule, name)) for name in ids] for rule, ids in first.items()}

    def _case(self, completion_id: str, evidence: Evidence) -> Case:
        return Case(created=self._created[completion_id], id=completion_id, evidence=evidence)

    def _evidence_by(self, rule: str, completion_id: str) -> Evidence:
        return next(evidence for evidence in self._evidence_of(completion_id) if evidence.rule == rule)

    def rows(self, places: dict[str, Place]) -> Iterator[DatasetRow]:
        """What became of each completion. One that has no place was dropped."""
        for completion_id in sorted(self._created, key=self._order):
            place = places.get(completion_id, Place("dropped", 0, 0))
            yield DatasetRow(
                id=completion_id,
                file=line_of(completion_id),
                outcome=place.outcome,
                line=place.line or None,
                copies=place.copies,
                synthetic=completion_id in self._synthetic,
                grades=[RowGrade.model_validate(noted) for noted in _members(self._grades, completion_id)],
                evidence=self._evidence_of(completion_id),
            )

    def entries(self) -> Iterator[tuple[str, int, list[Any]]]:
        """Each completion that came with its time and its evidence, for `take`."""
        for completion_id, created in self._created.items():
            yield completion_id, created, _members(self._evidence, completion_id)

    def take(self, completion_id: str, created: int, evidence: list[Any]) -> bool:
        """Note what another journal knows of a completion. False where it came before."""
        if not self.came(completion_id, created):
            return False
        for noted in evidence:
            self.masked.update(noted["masked"])
            self._add(completion_id, noted["rule"], noted["action"], orjson.dumps(noted))
        return True

    def _evidence_of(self, completion_id: str) -> list[Evidence]:
        return [Evidence.model_validate(noted) for noted in _members(self._evidence, completion_id)]

    def _add(self, completion_id: str, rule: str, action: str, noted: bytes) -> None:
        earlier = self._evidence.get(completion_id)
        self._evidence[completion_id] = noted if earlier is None else earlier + b"," + noted
        if action == "dropped":
            self._dropped[rule].append(completion_id)
        elif action != "overruled":
            self.changed[rule] += 1

    def _order(self, completion_id: str) -> tuple[int, str]:
        return self._created[completion_id], completion_id

    def _note(
        self,
        completion_id: str,
        rule: str,
        finding: Finding,
        action: Action,
        corrected: Corrected | None = None,
    ) -> None:
        score = None if finding.score is None else round(finding.score, 4)
        others = list(finding.others)[:_MOST_OTHERS]
        noted = Evidence(
            rule=rule,
            action=action,
            reason=finding.reason,
            others=others,
            score=score,
            corrected=corrected,
            masked=dict(finding.masked),
        )
        self.masked.update(noted.masked)
        self._add(completion_id, rule, action, noted.model_dump_json().encode())


def _members(noted: dict[str, bytes], completion_id: str) -> list[Any]:
    members: list[Any] = orjson.loads(b"[" + noted.get(completion_id, b"") + b"]")
    return members
