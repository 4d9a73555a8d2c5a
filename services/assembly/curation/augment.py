"""`augment`: has the teacher write inputs of rare slices and answer them. Both are graded before they train.

An input that is nearly one of a test row, of the slice or of another written one is refused. What enters is marked as
synthetic. In a dry run nothing is written.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from assembly.curation.rule import Finding, Together, Verdict
from assembly.grading import Answered, Brief, Written
from assembly.neighbours import Neighbours
from assembly.row import Row
from distillations.grades import Augmented
from distillations.grading_steps import Augment
from foundation.errors import ApiError

_SHOWN = 3
_MOST_WRITTEN = 10_000
"""The inputs that a step has written at most, of all slices."""


def decide(rows: Sequence[Row], settings: Augment, together: Together) -> Iterator[Verdict]:
    slices: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if settings.by in row.tags:
            slices[row.tags[settings.by]].append(row)
    rare = {name: members for name, members in sorted(slices.items()) if len(members) < settings.at_least}
    _refuse_too_many(rare, settings)
    briefs = [brief for name, members in rare.items() for brief in _briefs(name, members, settings, together)]
    grading = together.grading
    inputs = grading.inputs(together.number, settings, briefs) if grading and briefs else None
    if grading is None or inputs is None:
        return
    passed = [written for written in _distinct(inputs) if written.grade.passed]
    answers = grading.answers(together.number, settings, passed) if passed else []
    good = [one for one in answers if one.grade.passed]
    guard = _Guard([row for members in rare.values() for row in members], settings, together)
    for name, members in rare.items():
        entered = 0
        of_slice = [one for one in good if one.written.brief.slice == name]
        for one in of_slice:
            added = _row_of(one, settings, together)
            if added is None:
                continue
            finding = guard.refuses(added, name)
            entered += finding is None
            if finding:
                yield Verdict(added, finding)
        together.note_augmented(
            Augmented(
                step=together.number,
                slice=name,
                rows=len(members),
                written=sum(written.brief.slice == name for written in inputs),
                inputs_passed=sum(written.brief.slice == name for written in passed),
                answers_passed=len(of_slice),
                entered=entered,
            )
        )


def _refuse_too_many(rare: Mapping[str, Sequence[Row]], settings: Augment) -> None:
    """Raises ApiError where more inputs would be written than are held in memory, such as of a slice for each user."""
    wanted = sum(_lacking(members, settings) for members in rare.values())
    if wanted > _MOST_WRITTEN:
        raise ApiError(
            f"The step 'augment' would have {wanted} inputs written for {len(rare)} slices of '{settings.by}', and "
            f"{_MOST_WRITTEN} at most are. Name a key with fewer values in 'by', or lower at_least or most_rows.",
            code="too_many_rows",
            param="recipe.steps",
        )


def _lacking(members: Sequence[Row], settings: Augment) -> int:
    """How many inputs are written for a slice with these rows."""
    return min(settings.at_least - len(members), settings.most_rows)


def _briefs(name: str, members: list[Row], settings: Augment, together: Together) -> Iterator[Brief]:
    """As many briefs as the slice lacks rows; each shows other rows of it."""
    members = sorted(members, key=lambda row: hashlib.sha256(f"{together.seed}:{row.input_key}".encode()).digest())
    for number in range(_lacking(members, settings)):
        shown = [members[(number + turn) % len(members)].id for turn in range(min(_SHOWN, len(members)))]
        yield Brief(f"{hashlib.sha256(name.encode()).hexdigest()[:12]}-{number}", name, number + 1, shown)


def _distinct(inputs: Sequence[Written]) -> list[Written]:
    """The inputs with a text that none before them has."""
    by_text = {" ".join(written.text.split()).casefold(): written for written in reversed(inputs)}
    return [written for written in inputs if by_text.get(" ".join(written.text.split()).casefold()) is written]


def _row_of(answered: Answered, settings: Augment, together: Together) -> Row | None:
    brief = answered.written.brief
    reason = f"The teacher wrote it for the slice '{brief.slice}' of {settings.by}."
    row = together.take_in(answered.completion, settings.rule, Finding(reason, brief.examples))
    for grade in (answered.written.grade, answered.grade):
        together.note_grade(answered.completion.id, grade)
    return row


class _Guard:
    """What written inputs are held against: test rows, the rows of rare slices, and what entered before them."""

    def __init__(self, rows: Sequence[Row], settings: Augment, together: Together) -> None:
        self._settings = settings
        self._questions = together.questions
        self._test = self._questions.neighbours_in_test(settings.similarity)
        self._kept: dict[bytes, Neighbours] = {}
        for row in rows:
            self._keep(row)

    def refuses(self, row: Row, slice_: str) -> Finding | None:
        """Why an input may not enter; None where it may, and stands in the way of the next ones from now on."""
        question = self._questions.of(row)
        if row.tags.get(self._settings.by) != slice_:
            return Finding("It was written for another slice than it is in.")
        test = self._test.get(question.other)
        near = test.nearest(question) if test else None
        if near:
            return Finding("It asks nearly what a test row asks.", [near.row.id], near.score)
        kept = self._kept.get(question.other)
        near = kept.nearest(question) if kept else None
        if near:
            return Finding("It asks nearly what another row asks.", [near.row.id], near.score)
        self._keep(row)
        return None

    def _keep(self, row: Row) -> None:
        question = self._questions.of(row)
        if question.other not in self._kept:
            self._kept[question.other] = self._questions.neighbours(self._settings.similarity)
        self._kept[question.other].add(question)
