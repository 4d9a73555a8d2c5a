"""Assemble the training set of a distillation.

In: `AssembleDataset`. Out: `train.jsonl`, `validation.jsonl`, `manifest.jsonl` and `rows.jsonl` under `datasets/{id}/`,
the lineage of each completion, and last the card, whose arrival starts the job. A set is assembled once, whatever is
redelivered. One that no trainer takes is recorded as failed, with the reason. Where test rows would have leaked into it
the card waits until the distillation is approved.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from assembly.curate import Curator
from assembly.files import write_files
from assembly.made import LEASE, card_of, curated
from completions import index, selection
from completions.completion import Completion
from completions.corrections import Correction, by_completion, frozen
from completions.sources import StoredCompletions
from distillations import lineage
from distillations.dataset import LEAST_EXAMPLES, Dataset, DatasetCard, DatasetId
from distillations.distillation import Distillation
from distillations.failure import Failure
from distillations.leaks import reasons_to_wait
from distillations.lineage import Node
from distillations.recipe import UsedRecipe
from foundation import blobs, bus, lease
from foundation.errors import ApiError
from foundation.events import AdvanceDistillation, AssembleDataset


def assemble(message: AssembleDataset, context: Any) -> None:
    """Write the dataset, or record why there is none, and announce it. One that exists is only announced again.

    What is captured or deleted between two deliveries thus changes nothing: a set that failed starts no job later.
    Raises AtWork if another delivery is at it.
    """
    with lease.held(message.dataset_id, LEASE, context):
        _assemble(message)


def _assemble(message: AssembleDataset) -> None:
    distillation = Distillation.load(message.distillation_id)
    if distillation.status != "assembling":
        return
    # An existing one too: its entry in the list may be missing.
    (Dataset.find(message.dataset_id) or _assembled(distillation, message)).create()
    _announce(Dataset.load(message.dataset_id))


def _assembled(distillation: Distillation, message: AssembleDataset) -> Dataset:
    try:
        card = _write(distillation, message)
        return _dataset(message, status="ready", card=card, held=_reasons_to_wait(card))
    except ApiError as error:
        failed = Failure(code=error.code or "assembly_failed", message=error.message)
        return _dataset(message, status="failed", error=failed)


def _reasons_to_wait(card: DatasetCard) -> list[str]:
    return reasons_to_wait(card.id, card.dropped, card.leaks) if card.recipe.leaks == "block" else []


def _announce(dataset: Dataset) -> None:
    """Let the card land, which starts the job; without one, or while its training is held, tell the distillation."""
    if dataset.card is None or dataset.held:
        advance = AdvanceDistillation(distillation_id=dataset.distillation_id or "")
        bus.send(advance)
        return
    body = orjson.dumps(dataset.card.model_dump(mode="json"), option=orjson.OPT_INDENT_2)
    blobs.put(dataset.key("card.json"), body, content_type="application/json")


def _dataset(message: AssembleDataset, **fields: Any) -> Dataset:
    return Dataset(
        id=message.dataset_id,
        created_at=message.at // 1000,
        distillation_id=message.distillation_id,
        **fields,
    )


def _write(distillation: Distillation, message: AssembleDataset) -> DatasetCard:
    source, completions, corrections = _training(distillation)
    recipe = UsedRecipe(source=source, **distillation.used_recipe.model_dump())
    test = (orjson.loads(line)["item"] for line in blobs.lines(distillation.rows_key))
    trainer = distillation.trainer_kind or distillation.trainer
    with curated(recipe, completions, test, trainer=trainer, corrections=corrections) as curator:
        _check(distillation, curator)
        write_files(message.dataset_id, curator)
    lineage.link_completions((example.row.id for example in curator.examples), Node("dataset", message.dataset_id))
    return card_of(
        curator,
        recipe,
        id=message.dataset_id,
        created_at=message.at // 1000,
        distillation_id=distillation.id,
        teacher=distillation.teacher,
        teacher_terms=distillation.teacher_terms,
        student=distillation.student,
    )


type _Filters = StoredCompletions | list[StoredCompletions]


def _training(distillation: Distillation) -> tuple[_Filters, Iterator[Completion], dict[str, Correction]]:
    """The filters that select the completions, the completions, and what people corrected: of a dataset as it was made.

    Either way only those that the teacher answered: the terms of its provider were looked at, no other's.
    """
    source = distillation.training_source
    if isinstance(source, DatasetId):
        dataset = Dataset.load(source.id, param="train.id")
        completions = selection.read(dataset.key("selection.jsonl"), model=distillation.teacher)
        return dataset.source, completions, frozen(dataset.key("corrections.jsonl"))
    if isinstance(source, StoredCompletions):
        return source, index.completions(source, limit=source.limit), by_completion()
    raise ApiError("train must be a filter on stored completions.", code="unsupported_source", param="train")


def _check(distillation: Distillation, curator: Curator) -> None:
    trains = sum(place.outcome == "train" for _, place in curator.examples)
    if trains >= LEAST_EXAMPLES:
        return
    dropped = ", ".join(f"{count} {reason}" for reason, count in curator.dropped.items() if count)
    raise ApiError(
        f"The training set has {trains} examples; at least {LEAST_EXAMPLES} are needed. The filter in "
        f"'train' with teacher {distillation.teacher} gave too few; dropped: {dropped or 'none'}.",
        code="too_few_examples",
        param="train",
    )
