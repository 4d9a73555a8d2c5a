"""A recipe: what is done to completions before they train, step by step, each step with its settings.

In: what a caller asks for, or nothing: the default is what suits most sets. Out: a typed document, of which the same
one on the same completions gives the same files. What each step does is a rule of `assembly/curation/`, a file a rule.

Rules that no recipe may leave out are no steps: test rows never train, and what the trainer would refuse is dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import ConfigDict, Field, ValidationInfo, field_serializer, field_validator, model_validator

from completions.sources import StoredCompletions
from completions.system_prompt import SystemPrompt
from distillations.answer_steps import Empty, Filtered, Refused, SchemaInvalid, Truncated, Unfinished, WrongCalls
from distillations.file_source import FileSource
from distillations.formats import Method
from distillations.grading_steps import Augment, BestOf, Consensus, Dollars, Quality
from distillations.step import BaseStep
from distillations.text_steps import Doubtful, Language, PersonalData
from foundation.bounds import Name, Text
from foundation.document import Document

VALIDATION_SHARE = 0.1
"""The share of the examples that validate."""
ANSWER = "answer"
"""The key of slices by what was answered, for answers of at most 64 characters."""
_MOST_STEPS = 32
_MOST_RUNS = 8
_MOST_BY_HAND = 1_000

type Similarity = Annotated[float, Field(ge=0.7, le=1)]
"""The least share of the pieces of three words of two questions that both have; 1 is every piece. In scripts without
spaces, such as Chinese, a piece is three characters. Below 0.7 most questions of a set would have to be compared with
most others."""


class Length(BaseStep):
    """Drops an example that is too long for the student, or for what it should cost."""

    rule: Literal["length"] = "length"
    most_tokens: int = Field(ge=1, lt=1 << 31)
    """The most tokens of prompt and answer together, as the provider counted them; else a token for 4 bytes."""


class Prompt(BaseStep):
    """Replaces the system messages, so that the student learns to do without a long prompt."""

    rule: Literal["prompt"] = "prompt"
    text: Text | None = None
    """The short prompt that the student is asked with; null for none."""


class NearLeaks(BaseStep):
    """Drops a completion whose question is nearly that of a test row."""

    rule: Literal["near_leaks"] = "near_leaks"
    similarity: Similarity = 0.85


class Contradictions(BaseStep):
    """Drops completions that answer one question in another way than the one that is kept."""

    rule: Literal["contradictions"] = "contradictions"
    keep: Literal["majority", "newest", "best", "none"] = "majority"
    """The answer that most completions gave, of as many the newest; the newest one; the best graded; or none."""


class Duplicates(BaseStep):
    """Drops completions with the same question and the same answer but for one."""

    rule: Literal["duplicates"] = "duplicates"
    keep: Literal["newest", "oldest", "best"] = "newest"
    """Which one stays; `best` is the best graded, of as good ones the newest."""


class NearDuplicates(BaseStep):
    """Drops completions with nearly the same question and the same answer but for one."""

    rule: Literal["near_duplicates"] = "near_duplicates"
    similarity: Similarity = 0.85
    keep: Literal["newest", "oldest", "best"] = "newest"
    """Which one stays; `best` is the best graded, of as good ones the newest."""


class Balance(BaseStep):
    """Limits large slices and repeats the rows of small ones."""

    rule: Literal["balance"] = "balance"
    by: Name = Field(min_length=1)
    """What makes a slice: a metadata key, the path of a field (`item.…`), or `answer`."""
    at_most: int | None = Field(default=None, ge=1, lt=1 << 31)
    """The most rows of a slice; null for no limit."""
    at_least: int | None = Field(default=None, ge=1, lt=1 << 31)
    """The rows that a slice that has fewer is brought to by repetition; null for none."""
    most_copies: int = Field(default=4, ge=1, le=100)
    """How often a row stands in the training file at most, however small its slice is."""

    @field_validator("at_least")
    @classmethod
    def _is_no_more_than_at_most(cls, at_least: int | None, info: ValidationInfo) -> int | None:
        at_most = info.data.get("at_most")
        if at_least is not None and at_most is not None and at_least > at_most:
            raise ValueError(f"at_least is more than at_most: ask for {at_most} rows or fewer")
        return at_least


type RowStep = (
    Truncated | Filtered | Unfinished | Refused | Empty | SchemaInvalid | WrongCalls | Length | Prompt | PersonalData
)
"""Steps that look at one completion at a time."""
type SetStep = (
    NearLeaks
    | Language
    | Quality
    | Consensus
    | BestOf
    | Contradictions
    | Duplicates
    | NearDuplicates
    | Doubtful
    | Augment
    | Balance
)
"""Steps that look at all completions that are left together."""
type Step = Annotated[RowStep | SetStep, Field(discriminator="rule")]
ROW_STEPS: tuple[type[BaseStep], ...] = get_args(RowStep.__value__)
SET_STEPS: tuple[type[BaseStep], ...] = get_args(SetStep.__value__)


def default_steps() -> list[Any]:
    """The steps of a recipe that names none."""
    by_row = [Truncated(), Filtered(), Unfinished(), Refused(), Empty(), SchemaInvalid(), WrongCalls()]
    return [*by_row, NearLeaks(), Language(), Contradictions(), Duplicates(), NearDuplicates(), Doubtful()]


class Recipe(Document):
    """How a training set is made of completions. Without a word on a step its default holds."""

    model_config = ConfigDict(extra="forbid")

    steps: list[Step] = Field(default_factory=default_steps, max_length=_MOST_STEPS)
    """What is done, in this order. Steps that look at one completion come before those that look at all together."""
    validation_share: float = Field(default=VALIDATION_SHARE, ge=0, lt=1)
    """The share of the examples that validate, from 0 to 1."""
    seed: int = Field(default=42, ge=0, lt=1 << 31)
    """Decides which examples validate, and which rows of a large slice are left out."""
    group_by: Name | None = None
    """The metadata key whose rows are one thing, such as a user: all train or all validate, and none does where a test
    row has the same value."""
    stratify_by: Name | None = None
    """The slices, named as in the step `balance`, of each of which the same share validates."""
    max_cost_usd: Dollars | None = None
    """The most that all steps together may cost that have rows graded, by estimates, in US dollars; null for no
    limit but their own."""
    train_on_history: bool = False
    """Whether the assistant turns before an answer train, too; without, they have `weight` 0."""
    reasoning: Literal["leave_out", "teach"] = "leave_out"
    """Whether what the teacher thought before its answer is learnt, as text between `<think>` and `</think>` before it.
    The trained model then thinks aloud, and its server must take that off for the graders and for the application."""
    corrections: bool = True
    """Whether a person's corrected answers train instead of the teacher's."""
    keep: list[Name] = Field(default_factory=list, max_length=_MOST_BY_HAND)
    """Completions, by id, that a person wants to train whatever a step finds in them. Test rows, leaks and what no
    trainer takes stay out."""
    drop: list[Name] = Field(default_factory=list, max_length=_MOST_BY_HAND)
    """Completions, by id, that a person wants to keep out."""
    leaks: Literal["block", "drop"] = "block"
    """Whether a distillation whose training completions leak test rows waits until somebody approves it. Leaks are what
    asks nearly what a test row asks, or has one in its conversation or group. They never train, approved or not."""

    method: Method = "supervised"
    """What the examples are: `supervised` ones of right answers, or with `dpo` pairs of the teacher's answer that
    passed and another one to the same question that failed in a run."""
    runs: list[Name] = Field(default_factory=list, max_length=_MOST_RUNS)
    """For pairs: completed eval runs whose rows ask what the completions ask. One that grades the stored answers says
    which of them passed, one that samples the student has what failed. A run that measured for a distillation is
    refused: its rows are test rows, which never train."""

    @model_validator(mode="after")
    def _pairs_come_of_runs(self) -> Self:
        if self.method == "dpo" and not self.runs:
            raise ValueError("the method 'dpo' makes pairs of the answers of runs: name completed ones in 'runs'")
        if self.method == "supervised" and self.runs:
            raise ValueError("'runs' are for pairs: ask for the method 'dpo', or leave them out")
        return self

    @model_validator(mode="after")
    def _stays_or_goes(self) -> Self:
        both = sorted({*self.keep} & {*self.drop})
        if both:
            raise ValueError(f"'keep' and 'drop' both name '{both[0]}': take it out of one of them")
        return self

    @model_validator(mode="after")
    def _rows_come_first(self) -> Self:
        together = [isinstance(step, SET_STEPS) for step in self.steps]
        if together != sorted(together):
            late = self.steps[together.index(True) :]
            first = next(step.rule for step in late if isinstance(step, ROW_STEPS))
            raise ValueError(f"the step '{first}' looks at one completion: put it before '{late[0].rule}'")
        return self

    @model_validator(mode="after")
    def _grades_come_first(self) -> Self:
        graded = False
        for step in self.steps:
            graded = graded or isinstance(step, Quality)
            if not graded and (isinstance(step, BestOf) or getattr(step, "keep", None) == "best"):
                raise ValueError(f"the step '{step.rule}' keeps the best graded: put a step 'quality' before it")
        return self

    @model_validator(mode="after")
    def _what_is_written_comes_last(self) -> Self:
        rules = [step.rule for step in self.steps]
        graded = next((step.rule for step in reversed(self.steps) if isinstance(step, Quality | Consensus)), None)
        if graded and "augment" in rules[: len(rules) - rules[::-1].index(graded)]:
            raise ValueError(f"what is written has grades of its own: put '{graded}' before 'augment'")
        return self

    @property
    def student_prompt(self) -> SystemPrompt | None:
        """The system prompt that its student has learnt and is asked with; None where that is each request's own."""
        prompts = self.steps_of(Prompt)
        return SystemPrompt(text=prompts[-1].text) if prompts else None

    @property
    def slice_keys(self) -> list[str]:
        """The keys of all slices that it needs."""
        balanced = [step.by for step in self.steps if isinstance(step, Augment | Balance)]
        return list(dict.fromkeys([*balanced, *([self.stratify_by] if self.stratify_by else [])]))

    def steps_of[Kind](self, *kinds: type[Kind]) -> Sequence[Kind]:
        """Its steps of these kinds, in order."""
        return [step for step in self.steps if isinstance(step, kinds)]


type RowSource = Annotated[StoredCompletions | FileSource, Field(discriminator="type")]
"""Where the rows of a training set are from: a filter on stored completions, or an uploaded file."""


class UsedRecipe(Recipe):
    """The recipe of a training set, and the completions that it was used on."""

    source: RowSource | list[RowSource]
    """The filter that selected the completions, or the file whose lines they are; or several that count together."""

    @field_serializer("source")
    def _what_was_asked(self, source: RowSource | list[RowSource]) -> Any:
        asked = [one.model_dump(mode="json", exclude_none=True) for one in as_list(source)]
        return asked if isinstance(source, list) else asked[0]


def as_list(source: RowSource | list[RowSource]) -> list[RowSource]:
    """The filters and files of a source."""
    return source if isinstance(source, list) else [source]
