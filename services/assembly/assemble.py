"""Assemble the training set of a distillation.

In: `AssembleDataset`. Out: `train.jsonl`, `validation.jsonl`, `manifest.jsonl` and `rows.jsonl` under `datasets/{id}/`,
the lineage of each completion, and last the card, whose arrival starts the job. A set is assembled once, whatever is
redelivered. One that no trainer takes is recorded as failed, with the reason. Where test rows would have leaked into it
the card waits until the distillation is approved.
"""

from __future__ import annotations

from typing import Any

import orjson

from assembly import parts
from assembly.curate import Curator
from assembly.files import write_files
from assembly.made import LEASE, card_of, curated
from assembly.making import Making
from assembly.time_left import TimeLeft
from distillations import lineage
from distillations.dataset import LEAST_EXAMPLES, Dataset, DatasetCard
from distillations.distillation import Distillation
from distillations.failure import Failure
from distillations.leaks import reasons_to_wait
from distillations.lineage import Node
from foundation import blobs, bus, lease
from foundation.errors import ApiError
from foundation.events import AdvanceDistillation, AssembleDataset


def assemble(message: AssembleDataset, context: Any) -> None:
    """Write the dataset, or record why there is none, and announce it. One that exists is only announced again.

    What is captured or deleted between two deliveries thus changes nothing: a set that failed starts no job later.
    Raises AtWork if another delivery is at it, and GoesOn where another one has to go on.
    """
    with lease.held(message.dataset_id, LEASE, context):
        _assemble(message, TimeLeft(context))
        parts.discard(message.dataset_id)


def _assemble(message: AssembleDataset, time_left: TimeLeft) -> None:
    distillation = Distillation.load(message.distillation_id)
    if distillation.status != "assembling":
        return
    # An existing one too: its entry in the list may be missing.
    (Dataset.find(message.dataset_id) or _assembled(distillation, message, time_left)).create()
    _announce(Dataset.load(message.dataset_id))


def _assembled(distillation: Distillation, message: AssembleDataset, time_left: TimeLeft) -> Dataset:
    try:
        card = _write(distillation, message, time_left)
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


def _write(distillation: Distillation, message: AssembleDataset, time_left: TimeLeft) -> DatasetCard:
    making = Making.of_distillation(distillation, message.dataset_id)
    with curated(making, time_left) as curator:
        _check(distillation, curator)
        write_files(message.dataset_id, curator)
    lineage.link_completions((example.row.id for example in curator.examples), Node("dataset", message.dataset_id))
    return card_of(
        curator,
        making.recipe,
        id=message.dataset_id,
        created_at=message.at // 1000,
        distillation_id=distillation.id,
        teacher=distillation.teacher,
        teacher_terms=distillation.teacher_terms,
        student=distillation.student,
    )


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
