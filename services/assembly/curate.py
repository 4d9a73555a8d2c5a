"""Curate completions by a recipe: which train, and for each of the others the rule that keeps it out, with evidence.

In: the teacher's completions in any order, the recipe, and what is known of the test rows. Out: the rows that train or
validate, whose lines lie in the spool, and what became of every completion. The order in which completions come makes
no difference. In memory are ids, slices and digests; the lines lie in the spool.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import IO, Any, NamedTuple

import orjson

from assembly.curation import BY_ROW, FIRST, LAST, RULES, TOGETHER
from assembly.curation.rule import Candidate, Finding, Known, RowRule, Together, Verdict
from assembly.grading import Grading
from assembly.journal import Journal, Place
from assembly.languages import languages_of
from assembly.lengths import tokens_of
from assembly.masking import mask_of
from assembly.questions import Questions, TestQuestion
from assembly.report.survey import Survey
from assembly.row import Row
from assembly.split import validating
from assembly.tags import tags_of
from assembly.training_line import history_turns
from completions.completion import Completion
from distillations.dataset import split_unit
from distillations.dataset_row import DatasetRow, Outcome
from distillations.grades import Agreement, Augmented
from distillations.leaks import RULES as LEAKS
from distillations.pairs import pair_of
from distillations.recipe import ROW_STEPS, SET_STEPS, Recipe
from distillations.text_steps import Language, PersonalData
from foundation.consumer import logger

_FAILED = "failed"
"""The field of a line in the spool that has the other answer of a pair."""
# What computing raises on a completion that is not quite a chat completion.
_ODD = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class Example(NamedTuple):
    """A row that trains or validates, and where it stands."""

    row: Row
    place: Place


class Entry(NamedTuple):
    """A completion that was looked at alone: what was done to it, and its row where no rule has dropped it."""

    id: str
    created: int
    evidence: list[Any]
    row: Row | None


class Curator:
    """Goes through completions by a recipe: `read` them, then `decide`; then its figures and rows are complete."""

    def __init__(
        self,
        recipe: Recipe,
        known: Known,
        spool: IO[bytes],
        test: Sequence[TestQuestion] = (),
        grading: Grading | None = None,
        *,
        survey: Survey | None = None,
    ) -> None:
        self._recipe = recipe
        self._known = known
        self._spool = spool
        self._test = test
        self._grading = grading
        self._rules = _row_rules(recipe)
        self._mask = mask_of(recipe.steps_of(PersonalData))
        self._tells_languages = bool(recipe.steps_of(Language))
        self._rows: list[Row] = []
        self.journal = Journal(RULES)
        self.agreement: list[Agreement] = []
        self.survey = survey
        """What is noted for the report; None where there will be none."""
        self.augmented: list[Augmented] = []
        self.examples: list[Example] = []

    def named(self) -> list[str]:
        """The completions that the recipe names by hand, and that came."""
        return [name for name in (*self._recipe.keep, *self._recipe.drop) if self.journal.knows(name)]

    def rows(self) -> Iterator[DatasetRow]:
        """What became of each completion, in the order of time and id."""
        return self.journal.rows(self.places())

    def places(self) -> dict[str, Place]:
        """Where the examples stand, by id."""
        return {example.row.id: example.place for example in self.examples}

    def line(self, row: Row) -> bytes:
        """The line of a row, made of what lies in the spool."""
        self._spool.seek(row.offset)
        line = self._spool.read(row.length)
        if self._recipe.method == "supervised":
            return line
        example = orjson.loads(line)
        return orjson.dumps(pair_of(example, example[_FAILED]))

    def read(self, completions: Iterable[Completion]) -> None:
        """Look at each completion alone. One that came already is passed over."""
        for completion in completions:
            if self.journal.came(completion.id, completion.created):
                if self.survey:
                    self.survey.note(completion)
                self._look_at(completion)

    def part(self) -> Iterator[Entry]:
        """What was read, for `take`."""
        rows = {row.id: row for row in self._rows}
        for completion_id, created, evidence in self.journal.entries():
            yield Entry(completion_id, created, evidence, rows.get(completion_id))

    def take(self, entries: Iterable[Entry]) -> None:
        """Go on with what another one has read. The lines lie in the spool."""
        for entry in entries:
            if self.journal.take(entry.id, entry.created, entry.evidence) and entry.row:
                self._rows.append(entry.row)

    def decide(self) -> None:
        """Look at the completions that are left together, then split them. Raises Waiting where grades are to come."""
        self.settle(self._recipe.steps_of(*SET_STEPS))
        self.place(validating(self._rows, self._recipe))

    def settle(
        self,
        steps: Sequence[Any],
        template: frozenset[str] | None = None,
        languages: Mapping[tuple[str, str], int] | None = None,
    ) -> None:
        """Look at the rows together, by these steps. They may be a share of all rows, of which the steps are told.

        `template` are the pieces of the prompts' templates of all rows; `languages` says of all rows how many have
        which languages. Without them they follow from the rows.
        """
        self._rows.sort(key=lambda row: row.order)
        questions = Questions(self._spool, self._rows, self._test, template)
        first = len(self._recipe.steps) - len(steps) + 1
        for number, step in enumerate(steps, start=first):
            known = Together(
                seed=self._recipe.seed,
                questions=questions,
                grading=self._grading,
                number=number,
                languages=languages,
                note_grade=self.journal.note_grade,
                note_agreement=self.agreement.append,
                note_augmented=self._note_augmented,
                take_in=self._take_in,
            )
            self.judge(step.rule, list(TOGETHER[step.rule](list(self._rows), step, known)))

    def judge(self, rule: str, verdicts: Iterable[Verdict]) -> None:
        """Let a rule's verdicts be done: rows are dropped, or stand so often from now on."""
        dropped: set[str] = set()
        for row, finding, copies in verdicts:
            if copies:
                row.copies = copies
                self.journal.note_change(row.id, rule, finding, "repeated")
            elif row.kept and rule not in LEAKS:
                self.journal.note_change(row.id, rule, finding, "overruled")
            else:
                dropped.add(row.id)
                self.journal.drop(row.id, rule, finding)
        self._rows = sorted((row for row in self._rows if row.id not in dropped), key=lambda row: row.order)

    def place(self, held_back: Container[str], before: Mapping[Outcome, int] | None = None) -> None:
        """Give each row its place. `held_back` validate; `before` says how many lines stand before these rows'."""
        self._rows.sort(key=lambda row: row.order)
        self.examples = _placed(self._rows, held_back, before or {})

    def _look_at(self, completion: Completion) -> None:
        """Keep the completion as a row, unless a rule drops it. One on which this raises is no sound completion."""
        if completion.malformed:
            self.journal.drop(completion.id, "malformed", Finding(completion.malformed))
            return
        try:
            row = self._row(Candidate(completion, self._recipe.train_on_history, self._recipe.reasoning == "teach"))
        except _ODD as error:
            kind = type(error).__name__
            logger().warning("odd completion", extra={"completion_id": completion.id, "error": kind})
            self.journal.drop(completion.id, "untrainable", Finding(f"It is no sound chat completion: {kind}."))
            return
        if row:
            self._rows.append(row)

    def _take_in(self, completion: Completion, rule: str, finding: Finding) -> Row | None:
        """The row of a completion that was written, unless a rule drops it."""
        if not self.journal.came(completion.id, completion.created):
            return None
        if self._mask:
            finding = finding._replace(reason=self._mask(finding.reason))
        self.journal.note_written(completion.id, rule, finding)
        if self.survey:
            self.survey.note(completion)
        before = len(self._rows)
        self._look_at(completion)
        if len(self._rows) == before:
            return None
        row = self._rows[-1]
        row.synthetic = True
        return row

    def _note_augmented(self, augmented: Augmented) -> None:
        slice_ = self._mask(augmented.slice) if self._mask else augmented.slice
        self.augmented.append(augmented.model_copy(update={"slice": slice_}))

    def _row(self, candidate: Candidate) -> Row | None:
        changes: list[tuple[str, Finding]] = []
        overruled: list[tuple[str, Finding]] = []
        for name, rule, settings in self._rules:
            finding = rule(candidate, settings, self._known)
            if finding is None:
                continue
            if finding.rewrite is None and candidate.kept and name in BY_ROW:
                overruled.append((name, finding))
                continue
            if finding.rewrite is None:
                self.journal.drop(candidate.completion.id, name, finding)
                return None
            finding.rewrite(candidate)
            changes.append((name, finding))
        row = self._spooled(candidate)
        for name, finding in changes:
            corrected = candidate.corrected if name == "corrections" else None
            self.journal.note_change(row.id, name, finding, corrected=corrected)
        for name, finding in overruled:
            self.journal.note_change(row.id, name, finding, "overruled")
        return row

    def _spooled(self, candidate: Candidate) -> Row:
        completion, line = candidate.completion, orjson.dumps(_spooled(candidate))
        input_key = candidate.trained_key
        row = Row(
            id=completion.id,
            created=completion.created,
            input_key=input_key,
            answer_key=candidate.answer_key,
            unit=split_unit(completion, input_key, self._recipe.group_by),
            tags=tags_of(candidate, self._recipe.slice_keys),
            tokens=tokens_of(candidate),
            history_turns=history_turns(candidate.line),
            offset=self._spool.seek(0, 2),
            length=len(line),
            corrected=candidate.corrected is not None,
            kept=candidate.kept,
            languages=languages_of(candidate.line["messages"][:-1], candidate.answer)
            if self._tells_languages
            else ("", ""),
        )
        self._spool.write(line)
        return row


def _spooled(candidate: Candidate) -> dict[str, Any]:
    """The line of a candidate; where it is one of a pair, with the other answer."""
    return candidate.line if candidate.failed is None else {**candidate.line, _FAILED: candidate.failed}


def _row_rules(recipe: Recipe) -> list[tuple[str, RowRule, Any]]:
    steps = [(step.rule, BY_ROW[step.rule], step) for step in recipe.steps_of(*ROW_STEPS)]
    first = [(name, rule, None) for name, rule in FIRST.items()]
    return [*first, *steps, *((name, rule, None) for name, rule in LAST.items())]


def _placed(rows: Sequence[Row], held_back: Container[str], before: Mapping[Outcome, int]) -> list[Example]:
    """The rows in their order, each with its place. What validates stands once."""
    lines: dict[Outcome, int] = {"train": 0, "validation": 0, **before}
    examples = []
    for row in rows:
        outcome: Outcome = "validation" if row.id in held_back else "train"
        copies = 1 if outcome == "validation" else row.copies
        examples.append(Example(row, Place(outcome, lines[outcome] + 1, copies)))
        lines[outcome] += copies
    return examples
