"""What became of a completion that a training set was made from: where it trains, or what kept it out, and why.

Each completion that the source selected has one line in `rows.jsonl`, in the order of time and id, and so has each line
of an uploaded file.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from distillations.file_source import FileLine
from distillations.grades import RowGrade
from foundation.document import Document

type Action = Literal["dropped", "changed", "repeated", "added", "overruled"]
"""`overruled` is what a rule would have dropped, had no person kept it."""
type Outcome = Literal["train", "validation", "dropped"]


class Corrected(Document):
    """A person's answer beside the teacher's, in whose place it trains."""

    id: str
    """The correction's id."""
    by: str | None = None
    """Who corrected it."""
    note: str | None = None
    teacher: dict[str, Any] | None = None
    """The teacher's message; null where its call failed."""
    correction: dict[str, Any]
    """The message that trains."""


class Evidence(Document):
    """What a rule did to a completion, and what speaks for it."""

    rule: str
    """The rule, as the recipe and the card name it."""
    action: Action
    reason: str
    """In a sentence, without a word of the completion's text."""
    others: list[str] = Field(default_factory=list)
    """The completions beside it, by id: the one that is kept, or the test rows. At most ten."""
    score: float | None = None
    """How alike the two questions are, from 0 to 1; of a grade its score. Null where nothing was measured."""
    corrected: Corrected | None = None
    """Both answers, where a person's trains."""
    masked: dict[str, int] = Field(default_factory=dict)
    """By kind, how often personal data was masked in the example."""


class DatasetRow(Document):
    """A completion that the source selected, and what became of it."""

    id: str
    """The completion's id; of a line of a file the file's id and the number of the line, as `file-abc:000012`."""
    object: Literal["dataset.row"] = "dataset.row"
    file: FileLine | None = None
    """The line of an uploaded file that it is; null for a stored completion, and for what a teacher wrote."""
    outcome: Outcome
    line: int | None = None
    """The number of its line in the file of its outcome, from 1, the first of its copies; null where it was dropped."""
    copies: int = 1
    """How often it stands there; 0 where it was dropped."""
    synthetic: bool = False
    """Whether the teacher wrote its input for a rare slice: no such completion was captured."""
    grades: list[RowGrade] = Field(default_factory=list)
    """What runs found in its answer, in the order of the steps that needed them."""
    evidence: list[Evidence] = Field(default_factory=list)
    """What rules did to it, in their order; the last one dropped it where it was dropped."""
