"""What a dataset is made of, and how: the same for whoever makes it, or a part of it, at whatever time.

In: the ids of a dataset and of its distillation, if it is made for one. Out: its recipe, the selection of completions,
the trainer and the test rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import orjson

from completions import corrections, selection
from completions.completion import Completion
from completions.corrections import Correction
from completions.postings import Reference
from completions.selection import Part
from completions.sources import StoredCompletions
from distillations import file_lines, pairs
from distillations.dataset import Dataset, DatasetId, dataset_key
from distillations.distillation import Distillation
from distillations.pairs import RunAnswers
from distillations.recipe import Recipe, RowSource, UsedRecipe
from distillations.rows import rows_of
from distillations.text_steps import PersonalData
from evals.data_sources import FileId
from foundation import blobs
from foundation.errors import ApiError


@dataclass(frozen=True)
class Making:
    """A dataset that is made."""

    dataset_id: str
    recipe: UsedRecipe
    trainer: str
    """The kind of trainer whose examples its lines are."""
    selection: str
    """The key of the completions that were chosen for it."""
    test: Callable[[], Iterator[dict[str, Any]]]
    """Gives the items of the test rows."""
    corrections: Callable[[], Mapping[str, Correction]]
    """Gives what people corrected, by the id of the completion."""
    distillation_id: str = ""
    """The distillation that it is made for; empty for one that is made by itself."""
    at: int = 0
    """When it was asked for, in milliseconds since the epoch."""
    model: str | None = None
    """Only what this model answered; None for all."""
    owner: Dataset | None = None
    """The dataset whose completions a distillation trains on; None where it has a filter of its own."""
    traffic: Sequence[StoredCompletions] = ()
    """The filters by which recent traffic is found that the set is held against."""

    @classmethod
    def of(cls, dataset_id: str, distillation_id: str = "") -> Self:
        """That of a dataset that is being made. Raises ApiError where a distillation names no completions."""
        if distillation_id:
            return cls.of_distillation(Distillation.load(distillation_id), dataset_id)
        return cls.of_dataset(Dataset.load(dataset_id))

    @classmethod
    def of_dataset(cls, dataset: Dataset) -> Self:
        """That of a dataset that is made by itself."""
        return cls(
            dataset_id=dataset.id,
            at=dataset.created_at * 1000,
            recipe=UsedRecipe(source=dataset.source, **(dataset.recipe or Recipe()).model_dump()),
            trainer=dataset.trainer,
            selection=dataset.key("selection.jsonl"),
            test=lambda: _test_items(dataset),
            corrections=lambda: corrections.frozen(dataset.key("corrections.jsonl")),
            traffic=dataset.traffic,
        )

    @classmethod
    def of_distillation(cls, distillation: Distillation, dataset_id: str, *, at: int = 0) -> Self:
        """That of a distillation's training set, for which completions and corrections are chosen once.

        Only those that the teacher answered: the terms of its provider were looked at, no other's.
        """
        source = distillation.training_source
        owner: Dataset | None = None
        asked: RowSource | list[RowSource]
        traffic: Sequence[StoredCompletions]
        if isinstance(source, DatasetId):
            owner = Dataset.load(source.id, param="train.id")
            asked, traffic = owner.source, owner.traffic
        elif isinstance(source, StoredCompletions):
            asked, traffic = source, [source]
            _choose(source, dataset_id)
        else:
            raise ApiError("train must be a filter on stored completions.", code="unsupported_source", param="train")
        return cls(
            dataset_id=dataset_id,
            distillation_id=distillation.id,
            at=at,
            recipe=UsedRecipe(source=asked, **distillation.used_recipe.model_dump()),
            trainer=distillation.trainer_kind or distillation.trainer,
            selection=dataset_key(owner.id if owner else dataset_id, "selection.jsonl"),
            test=lambda: _items_of(distillation, owner),
            corrections=lambda: corrections.frozen(dataset_key(owner.id if owner else dataset_id, "corrections.jsonl")),
            model=distillation.teacher,
            owner=owner,
            traffic=traffic,
        )

    def answers(self) -> RunAnswers:
        """The answers of the recipe's runs, as they were written down."""
        return RunAnswers(blobs.raw_lines(self._answers_key) or ())

    def freeze_answers(self) -> None:
        """Write down the answers of the recipe's runs, unless an earlier delivery has. Raises NotFound."""
        pairs.freeze(self._answers_key, self.recipe.runs)

    @property
    def _answers_key(self) -> str:
        if self.recipe.steps_of(PersonalData):
            # With the results of the parts it is deleted once the dataset is made: nothing has masked these texts.
            return dataset_key(self.dataset_id, "work/answers.jsonl")
        same = self.owner and self.owner.recipe and self.owner.recipe.runs == self.recipe.runs
        return dataset_key(self.owner.id if self.owner and same else self.dataset_id, "answers.jsonl")

    def completions(self, part: Part | None = None) -> Iterator[Completion]:
        """The completions, or those of a part."""
        return selection.read(self.selection, part=part, model=self.model, read_lines=file_lines.completions)

    def deleted(self, part: Part) -> set[str]:
        """The completions of a part, by id, that were deleted since they were chosen."""
        return selection.deleted(self.selection, part)


def _choose(source: StoredCompletions, dataset_id: str) -> None:
    """Write down what a filter selects and what was corrected of it, unless an earlier delivery has."""
    key, corrected = (dataset_key(dataset_id, name) for name in ("selection.jsonl", "corrections.jsonl"))
    if blobs.exists(key):
        return
    known, of_it = corrections.by_completion(), []

    def noted() -> Iterator[Reference]:
        for reference in selection.of(source):
            if reference.id in known:
                of_it.append(known[reference.id])
            yield reference

    # All of them before the selection, by which everything counts as chosen; then only its own.
    corrections.freeze(corrected, known.values())
    selection.write(key, noted())
    if len(of_it) < len(known):
        corrections.freeze(corrected, of_it)


def _items_of(distillation: Distillation, owner: Dataset | None) -> Iterator[dict[str, Any]]:
    """The items of a distillation's test rows, then of those that its dataset holds out, each once."""
    seen: set[str] = set()
    for line in blobs.lines(distillation.rows_key):
        item = orjson.loads(line)["item"]
        seen.add(item["completion_id"])
        yield item
    yield from (item for item in (_test_items(owner) if owner else ()) if item["completion_id"] not in seen)


def _test_items(dataset: Dataset) -> Iterator[dict[str, Any]]:
    """The items of the test rows: of a file, or of the completions that were chosen for them."""
    if isinstance(dataset.held_out, FileId):
        return (row["item"] for row in rows_of(dataset.held_out, "", param="held_out"))
    return (completion.row()["item"] for completion in selection.read(dataset.key("held_out.jsonl")))
