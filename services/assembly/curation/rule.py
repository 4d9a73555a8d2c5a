"""The seam of curation: completions in, what rules find in them out.

A rule is a module with one function. `RowRule` looks at one completion, with the test rows known; `SetRule` looks at
all that are left. What a rule finds either drops the completion, or changes it and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from assembly.grading import Grading
from assembly.questions import Questions
from assembly.row import Row
from assembly.training_line import training_line
from completions.completion import Completion
from completions.corrections import Correction
from completions.same_input import answer_key, input_key, prefix_keys
from distillations.dataset_row import Corrected
from distillations.formats import OPENAI, Format, format_named
from distillations.grades import Agreement, Augmented, RowGrade
from distillations.held_out import HeldOut
from distillations.pairs import RunAnswers, pair_of


@dataclass
class Candidate:
    """A captured completion of the teacher that no rule has kept out yet.

    `trains_history` is whether the assistant turns before its answer are learnt, too; `changed` is whether a rule has
    changed its line. `corrected` has a person's answer where one stands in the teacher's place.
    """

    completion: Completion
    trains_history: bool = False
    reasoning: bool = False
    """Whether what the teacher thought before its answer is learnt, too."""
    changed: bool = False
    corrected: Corrected | None = None
    kept: bool = False
    """Whether a person keeps it, whatever a step finds."""
    failed: dict[str, Any] | None = None
    """The answer beside it that is worse, as a message of its line; None where no pair is made of it."""
    mask: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    """What masks personal data in a further message as in its line; None where nothing is masked."""

    @cached_property
    def prefix_keys(self) -> list[str]:
        """The keys of the beginnings of its conversation up to the question, the last one that of all of it."""
        return prefix_keys(self.completion.messages)

    @property
    def input_key(self) -> str:
        """A key of the question: equal for inputs that ask the same, however they are spelt."""
        return self.prefix_keys[-1]

    @property
    def trained_key(self) -> str:
        """A key of the question as its line has it: lines that rules made the same have one key."""
        return input_key(self.line["messages"][:-1]) if self.changed else self.input_key

    @cached_property
    def answer_key(self) -> str:
        """A key of the answer: equal for answers that say the same and call the same tools."""
        return answer_key(self.answer)

    @cached_property
    def line(self) -> dict[str, Any]:
        """The line of the training file that it would be. A rule that changes it writes another one here."""
        return training_line(
            self.completion, self.message, trains_history=self.trains_history, reasoning=self.reasoning
        )

    @property
    def example(self) -> dict[str, Any]:
        """What is trained on: its line, or the pair."""
        return self.line if self.failed is None else pair_of(self.line, self.failed)

    @property
    def answer(self) -> dict[str, Any]:
        """The answer as its line has it."""
        trained: dict[str, Any] = self.line["messages"][-1]
        return trained if self.changed else self.message

    @property
    def message(self) -> dict[str, Any]:
        """The answer: the teacher's, or a person's in its place."""
        message: dict[str, Any] = self.corrected.correction if self.corrected else self.completion.choice["message"]
        return message

    @property
    def finish_reason(self) -> str | None:
        """Why the answer ended. What a person wrote is whole."""
        if self.corrected:
            return "stop"
        choice = self.completion.choice
        reason: str | None = choice.get("malformed") or choice.get("finish_reason")
        return reason


@dataclass
class Known:
    """What candidates are held against: the test rows, what the trainer takes as an example, and what people corrected.

    `corrections` are by the id of the completion. `answers` are those of runs, by which pairs are made; None where none
    are. `graded_later` is whether a step grades what no run has graded.
    """

    held_out: HeldOut = field(default_factory=HeldOut)
    format: Format = field(default_factory=lambda: format_named(OPENAI["supervised"]))
    corrections: Mapping[str, Correction] = field(default_factory=dict)
    answers: RunAnswers | None = None
    graded_later: bool = False
    keep: frozenset[str] = frozenset()
    drop: frozenset[str] = frozenset()
    """The completions, by id, that a person keeps, and that a person keeps out."""


class Finding(NamedTuple):
    """What a rule found in a completion: why it is dropped or, with a `rewrite`, what was done to it instead."""

    reason: str
    others: Sequence[str] = ()
    """The ids of the completions or test rows beside it."""
    score: float | None = None
    rewrite: Callable[[Candidate], None] | None = None
    """What makes the changed line of a candidate; None where it is dropped."""
    masked: Mapping[str, int] = {}
    """By kind, how often personal data was masked."""


@dataclass(frozen=True)
class Together:
    """What rules that look at all rows know besides: the seed, the questions of rows and test rows, and grades."""

    seed: int
    questions: Questions
    grading: Grading | None = None
    """Who grades rows; None where nobody does."""
    number: int = 0
    """The number of the step in the recipe, from 1."""
    languages: Mapping[tuple[str, str], int] | None = None
    """How many rows have which languages of question and answer, where the rows are a share of all; else None."""
    note_grade: Callable[[str, RowGrade], None] = lambda row_id, grade: None  # noqa: ARG005
    """Keeps the grade of a row as evidence."""
    note_agreement: Callable[[Agreement], None] = lambda agreement: None  # noqa: ARG005
    """Keeps for the card how far the teacher agreed with itself."""
    note_augmented: Callable[[Augmented], None] = lambda augmented: None  # noqa: ARG005
    """Keeps for the card what was written for a slice."""
    take_in: Callable[[Completion, str, Finding], Row | None] = lambda *_: None
    """Takes in a completion that a rule had written: its row, unless a rule drops it."""


class Verdict(NamedTuple):
    """What a rule decided about one of all rows: it is dropped, or has so many copies from now on."""

    row: Row
    finding: Finding
    copies: int = 0


type RowRule = Callable[[Candidate, Any, Known], Finding | None]
"""In: a candidate, the settings of the step, what is known. Out: what the rule found, or None."""
type SetRule = Callable[[Sequence[Row], Any, Together], Iterator[Verdict]]
"""In: the rows that are left, in the order of time and id, and the settings. Out: what becomes of some of them."""
