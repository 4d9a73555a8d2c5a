"""The request for a distillation, and what is wrong with it: said before anything is measured or paid for.

In: what a caller asks for. Out: nothing, or an ApiError naming the field and the remedy. Rows are looked at for a few
seconds at most; what a large source hides behind that is found when the rows are frozen or the set is assembled, and
ends the distillation as failed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import Field

from api import attempts_asked
from api.dataset_to_train_on import dataset_to_train_on
from completions import index, selection
from completions.completion import Completion, Metadata
from completions.same_input import input_key, prefix_keys
from completions.scan import Scan
from completions.sources import WHERE_TO_LOOK, StoredCompletions
from distillations import file_lines
from distillations.attempts import Checkpoints, Students, SweptHyperparameters, orders_of
from distillations.contender import Contenders
from distillations.dataset import LEAST_EXAMPLES, Dataset, DatasetId, Source, TrainingSource, split_unit, validates
from distillations.gate import Gate
from distillations.held_out import HeldOut
from distillations.hyperparameters import OpenAIHyperparameters
from distillations.recipe import Recipe
from distillations.rows import rows_of
from distillations.trainers import TrainerName
from evals.eval import Eval
from evals.slicing import metadata_of
from foundation.bounds import Name
from foundation.document import Body
from foundation.errors import ApiError
from providers import prices
from providers.required_model import require_model

_SECONDS = 6.0


class NewDistillation(Body):
    """What a caller sends."""

    name: str = Field(min_length=1, max_length=128)
    eval_id: str
    test: Source
    train: TrainingSource
    teacher: Name = Field(min_length=1)
    alias: Name | None = None
    student: Students
    contenders: Contenders = Field(default_factory=list)
    trainer: TrainerName = "default"
    hyperparameters: SweptHyperparameters = Field(default_factory=OpenAIHyperparameters)
    checkpoints: Checkpoints = "last"
    gate: Gate = Gate()
    recipe: Recipe | None = None
    seed: int = Field(default=42, ge=0, lt=1 << 31)
    train_on_history: bool = Field(default=False, strict=True)
    metadata: Metadata | None = None

    def end_filters(self, at: int) -> None:
        """Give the filters an end: what is captured later is not part of this distillation."""
        self.test, self.train = _ended(self.test, at), _ended(self.train, at)

    def take_recipe(self) -> None:
        """Take the recipe of the dataset in `train`, unless another one is given.

        Raises ApiError where `train_on_history` asks for what the recipe does not.
        """
        if isinstance(self.train, DatasetId) and self.recipe is None:
            self.recipe = Dataset.load(self.train.id, param="train.id").recipe
        if self.train_on_history and self.recipe and not self.recipe.train_on_history:
            raise ApiError(
                "Invalid 'train_on_history': the recipe says otherwise. Ask for it in 'recipe'.",
                code="invalid_value",
                param="train_on_history",
            )

    @property
    def students(self) -> list[str]:
        """The models to train."""
        return self.student if isinstance(self.student, list) else [self.student]

    @property
    def given_hyperparameters(self) -> dict[str, Any] | list[dict[str, Any]]:
        """What was chosen, or each of several choices."""
        asked = self.hyperparameters
        return [each.given() for each in asked] if isinstance(asked, list) else asked.given()

    @property
    def used_recipe(self) -> Recipe:
        """The recipe of its training set, as `Distillation.used_recipe` says it."""
        recipe = self.recipe or Recipe(seed=self.seed, train_on_history=self.train_on_history)
        return recipe.model_copy(update={"group_by": recipe.group_by or self.gate.group_by})


def _ended[Asked: TrainingSource](source: Asked, at: int) -> Asked:
    if isinstance(source, StoredCompletions):
        return source.model_copy(update={"created_before": min(source.created_before or at, at)})
    return source


def refuse_what_cannot_work(asked: NewDistillation, *, answered: bool = False) -> None:
    """Raises ApiError for the first thing that cannot work.

    `answered` says that the rows of the file in `test` have answers of the teacher.
    """
    Eval.load(asked.eval_id, param="eval_id")
    attempts_asked.refuse_students(asked.student)
    _refuse_contenders(asked)
    orders = orders_of(asked.students, asked.given_hyperparameters)
    attempts_asked.refuse_choice(len(orders), asked.checkpoints, asked.trainer, asked.used_recipe)
    train = _training_source(asked)
    _refuse_gate(asked)
    test = _looked_at(asked, answered=answered)
    _refuse_group(asked, test)
    if not test.teacher_answered:
        require_model(asked.teacher, param="teacher")
    _refuse_too_few(asked, train, test)


def _training_source(asked: NewDistillation) -> StoredCompletions | Dataset:
    """The filter in `train`, answered by the teacher, or the dataset there."""
    if isinstance(asked.train, DatasetId):
        return dataset_to_train_on(asked.train.id)
    if not isinstance(asked.train, StoredCompletions):
        raise ApiError("train must be a filter on stored completions.", code="unsupported_source", param="train")
    if asked.train.model not in {None, asked.teacher}:
        raise ApiError(
            f"train is answered by the teacher: its model must be '{asked.teacher}' or absent.",
            code="invalid_value",
            param="train.model",
        )
    return asked.train.model_copy(update={"model": asked.teacher})


def _training_completions(source: StoredCompletions | Dataset, teacher: str, scan: Scan) -> Iterator[Completion]:
    if isinstance(source, Dataset):
        return selection.read(source.key("selection.jsonl"), model=teacher, read_lines=file_lines.completions)
    return index.completions(source, limit=source.limit, scan=scan)


def _refuse_contenders(asked: NewDistillation) -> None:
    for number, model in enumerate(asked.contenders):
        param = f"contenders[{number}]"
        if model in {*asked.students, asked.teacher}:
            raise ApiError(
                f"Invalid '{param}': '{model}' is measured as the teacher or the student already. Leave it out.",
                code="invalid_value",
                param=param,
            )
        require_model(model, param=param)


def _refuse_gate(asked: NewDistillation) -> None:
    gate = asked.gate
    if gate.expected_gain is not None and gate.expected_gain <= gate.min_gain:
        raise ApiError(
            f"Invalid 'gate.expected_gain': no number of rows shows that a gain of {gate.expected_gain} is above "
            f"min_gain, {gate.min_gain}. Expect more, or ask for less.",
            code="invalid_value",
            param="gate.expected_gain",
        )
    unknown = next((student for student in asked.students if prices.training_nanodollars(student) is None), None)
    if gate.max_cost_usd is not None and unknown:
        raise ApiError(
            f"Invalid 'gate.max_cost_usd': no price is known for training '{unknown}', so the budget could never "
            "be checked. Leave it out, or add the price to the stack's parameter Prices.",
            code="no_price",
            param="gate.max_cost_usd",
        )


class _TestRows(NamedTuple):
    """What was seen of the test rows. `whole` is whether that is all of them."""

    held_out: HeldOut
    inputs: dict[str, bool]
    """Whether the teacher answered it, by the key of each input."""
    keys: set[str]
    """The metadata keys that some row has."""
    whole: bool

    @property
    def teacher_answered(self) -> bool:
        """Whether the teacher need not be asked, as far as was seen."""
        return all(self.inputs.values()) or not self.whole


def _looked_at(asked: NewDistillation, *, answered: bool) -> _TestRows:
    held_out = HeldOut(asked.gate.group_by)
    inputs: dict[str, bool] = {}
    keys: set[str] = set()
    scan = Scan(seconds=_SECONDS)
    whole = True
    for row in _in_time(rows_of(asked.test, asked.teacher, scan=scan, answered=answered)):
        if row is None:
            whole = False
            break
        item = row["item"]
        held_out.add(item)
        key = input_key(item["input"])
        inputs[key] = inputs.get(key, False) or "sample" in row
        keys |= metadata_of(item).keys()
    whole = whole and not scan.exhausted
    if whole and not inputs:
        raise ApiError(
            f"The filter in 'test' selects no stored completion. {WHERE_TO_LOOK}", code="no_rows", param="test"
        )
    return _TestRows(held_out, inputs, keys, whole)


def _in_time[Kind](items: Iterator[Kind]) -> Iterator[Kind | None]:
    """The items, and None at the end where the time was over before them."""
    until = time.monotonic() + _SECONDS
    for item in items:
        yield item
        if time.monotonic() > until:
            yield None
            return


def _refuse_group(asked: NewDistillation, test: _TestRows) -> None:
    group = asked.gate.group_by
    if group is not None and test.whole and group not in test.keys:
        raise ApiError(
            f"Invalid 'gate.group_by': no row of 'test' has the metadata key '{group}'. Rows have: "
            f"{', '.join(sorted(test.keys)[:10]) or 'none'}.",
            code="invalid_value",
            param="gate.group_by",
        )


def _refuse_too_few(asked: NewDistillation, train: StoredCompletions | Dataset, test: _TestRows) -> None:
    """Look at completions until enough of them could train. Curation may still keep some of these out."""
    scan, recipe = Scan(seconds=_SECONDS), asked.used_recipe
    # With slices it follows from all rows which of them validate, so here each counts as one that trains.
    share = 0 if recipe.stratify_by else recipe.validation_share
    examples: set[str] = set()
    selected = leaks = 0
    for completion in _in_time(_training_completions(train, asked.teacher, scan)):
        if completion is None:
            return
        selected += 1
        if completion.malformed:
            continue
        prefixes = prefix_keys(completion.messages)
        key = prefixes[-1]
        if test.held_out.rows_of(completion, key) or test.held_out.conversation_of(completion, prefixes):
            leaks += 1
        elif not validates(recipe.seed, split_unit(completion, key, recipe.group_by), share):
            examples.add(key)
        if len(examples) == LEAST_EXAMPLES:
            return
    if scan.exhausted:
        return
    by = f" answered by the teacher '{asked.teacher}'"
    files = _not_the_teachers(train, asked.teacher)
    if not selected:
        raise ApiError(
            f"What 'train' names selects no stored completion{by}. {files or WHERE_TO_LOOK}",
            code="no_rows",
            param="train",
        )
    raise ApiError(
        f"What 'train' names selects {selected} completions{by}. {leaks} of them are rows of 'test' too, ask the "
        "same, or belong to one conversation with such a row; of the others each question counts once, and a share of "
        f"{share} validates: {len(examples)} are left to train on, and at least {LEAST_EXAMPLES} are needed. Let "
        f"'train' select more, and others than 'test'. {files}".rstrip(),
        code="too_few_examples",
        param="train",
    )


def _not_the_teachers(train: StoredCompletions | Dataset, teacher: str) -> str:
    """What to do where files of a dataset do not say that their answers are the teacher's; empty where all do."""
    files = [file.id for file in train.files if file.model != teacher] if isinstance(train, Dataset) else []
    if not files:
        return ""
    return (
        f"The lines of {', '.join(files)} do not count as the teacher's: make a dataset whose source says so, with "
        f"'model': '{teacher}'."
    )
