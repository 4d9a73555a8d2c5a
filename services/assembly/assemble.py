"""Assemble the training set of a distillation.

In: `AssembleDataset`. Out: `train.jsonl`, `validation.jsonl`, `manifest.jsonl` and `rows.jsonl` under `datasets/{id}/`,
the lineage of each completion, and last the card, whose arrival starts the job. A set is assembled once, whatever is
redelivered; while a run grades its rows it waits, and the end of the run asks for it again. One that no trainer takes
is recorded as failed, with the reason. Where test rows would have leaked into it
the card waits until the distillation is approved.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import orjson

from assembly import parts
from assembly.figures import Figures
from assembly.grading import Ended, Waiting
from assembly.made import LEASE, card_of, curated, too_few_pairs
from assembly.making import Making
from assembly.report.build import About
from assembly.report.suitability import Known
from assembly.report.write import write_report
from assembly.runs import StoredRuns, plan_again, wait_for_runs
from distillations.dataset import CANCELLED, LEAST_EXAMPLES, TO_GO_ON, Dataset, DatasetCard
from distillations.distillation import Distillation
from distillations.failure import Failure
from distillations.leaks import reasons_to_wait
from distillations.lineage import Node
from distillations.made_of import owner_of
from foundation import blobs, bus, lease
from foundation.errors import ApiError
from foundation.events import AdvanceDistillation, AssembleDataset


def assemble(message: AssembleDataset, context: Any) -> None:
    """Write the dataset, or record why there is none, and announce it. One that exists is only announced again.

    What is captured or deleted between two deliveries thus changes nothing: a set that failed starts no job later.
    Raises AtWork if another delivery is at it, and GoesOn where another one has to go on.
    """
    try:
        with lease.held(message.dataset_id, LEASE, context):
            with suppress(Ended):
                _assemble(message, context)
            parts.discard(message.dataset_id)
    except Waiting:
        _end_with(message.distillation_id, message.dataset_id)


def _assemble(message: AssembleDataset, context: Any) -> None:
    distillation = Distillation.load(message.distillation_id)
    if distillation.status != "assembling":
        return
    owner = owner_of(distillation)
    if owner and owner.is_open:
        # It pays for the grades that this set needs, too. Its end has this one assembled.
        raise Waiting
    dataset = Dataset.find(message.dataset_id) or _dataset(message)
    if dataset.is_open:
        wait_for_runs(dataset)
        gone = owner if owner and owner.is_cancelled else None
        changes = _of_cancelled(gone) if gone else _assembled(distillation, dataset, context)
        # One that has waited for grades is there already.
        if not dataset.model_copy(update=changes).create():
            dataset.change_open(changes)
    else:
        # Its entry in the list may be missing.
        dataset.create()
    _announce(Dataset.load(message.dataset_id))


def _assembled(distillation: Distillation, dataset: Dataset, context: Any) -> dict[str, Any]:
    """Write the dataset. What its record says of that, or why there is none."""
    try:
        card = _write(distillation, dataset, context)
    except ApiError as error:
        failed = Failure(code=error.code or "assembly_failed", message=error.message)
        return {"status": "failed", "error": failed}
    return {"status": "ready", "card": card, "held": _reasons_to_wait(card), "runs": card.runs}


def _of_cancelled(owner: Dataset) -> dict[str, Any]:
    """Why there is none: whoever cancels a dataset wants its grades paid for nobody."""
    told = f"The dataset {owner.id} that it trains on was cancelled. {TO_GO_ON}"
    return {"status": "failed", "error": Failure(code="dataset_cancelled", message=told)}


def _end_with(distillation_id: str, dataset_id: str) -> None:
    """Let the dataset end whose distillation has ended while its run was begun: nothing is graded for nobody."""
    dataset = Dataset.find(dataset_id)
    if dataset and Distillation.load(distillation_id).status != "assembling":
        plan_again(dataset.give_up(CANCELLED, "Its distillation has ended."), distillation_id)


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


def _dataset(message: AssembleDataset) -> Dataset:
    """The dataset before it is written: that is done when it has ended, or waits for grades."""
    at, of = message.at // 1000, message.distillation_id
    return Dataset(id=message.dataset_id, created_at=at, distillation_id=of, status="queued")


def _write(distillation: Distillation, dataset: Dataset, context: Any) -> DatasetCard:
    making = Making.of_distillation(distillation, dataset.id, at=dataset.created_at * 1000)
    grading = StoredRuns(dataset, making, distillation.teacher)
    with curated(making, context, grading) as settled:
        _check(distillation, settled.figures)
        settled.write_files()
        about = replace(_about(distillation, dataset), agreement=list(settled.agreement))
        warnings = write_report(settled.figures, settled.counted(), making, about)
        settled.link(Node("dataset", dataset.id))
    return card_of(
        settled,
        making.recipe,
        grading,
        id=dataset.id,
        created_at=dataset.created_at,
        distillation_id=distillation.id,
        teacher=distillation.teacher,
        teacher_terms=distillation.teacher_terms,
        student=distillation.student,
        warnings=warnings,
    )


def _about(distillation: Distillation, dataset: Dataset) -> About:
    return About(
        dataset.id,
        dataset.created_at,
        distillation.trainer_kind or distillation.trainer,
        distillation.orders,
        [distillation.teacher_terms] if distillation.teacher_terms else [],
        Known(teacher_score=distillation.plan.teacher.score if distillation.plan else None),
    )


def _check(distillation: Distillation, figures: Figures) -> None:
    trains = figures.train_rows
    if trains < LEAST_EXAMPLES and distillation.used_recipe.method == "dpo":
        raise too_few_pairs(figures, LEAST_EXAMPLES)
    if trains < LEAST_EXAMPLES:
        raise ApiError(
            f"The training set has {trains} examples; at least {LEAST_EXAMPLES} are needed. The filter in "
            f"'train' with teacher {distillation.teacher} gave too few; dropped: {figures.left_out()}.",
            code="too_few_examples",
            param="train",
        )
    if distillation.most_models and not figures.validation_rows:
        raise ApiError(
            "The best of several models is chosen on the validation rows, and of so few examples none validates. Let "
            f"'train' select more, or raise 'recipe.validation_share'; dropped: {figures.left_out()}.",
            code="no_validation_rows",
            param="train",
        )
