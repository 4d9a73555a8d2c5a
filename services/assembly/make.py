"""Make a dataset that somebody asked for by itself.

In: its id; the completions and test rows were chosen when it was asked for. Out: the dataset's files, the
lineage of each completion, and last its record as `ready` with the card, or as `failed` with the reason. Redelivered,
it writes the same bytes; one that has ended is left as it is. Where its recipe needs grades, it is `grading` until the
run that gives them has ended, which asks for it again.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from assembly import parts
from assembly.grading import Ended, Waiting
from assembly.made import LEASE, card_of, curated, too_few_pairs
from assembly.making import Making
from assembly.report.build import About
from assembly.report.write import write_report
from assembly.runs import StoredRuns, plan_again, wait_for_runs
from assembly.unpaid import Unpaid
from distillations.dataset import Dataset, DatasetCard
from distillations.failure import Failure
from distillations.lineage import Node
from distillations.made_of import wake
from foundation import lease
from foundation.errors import ApiError


def make(dataset_id: str, context: Any) -> None:
    """Make the dataset, unless it has ended or was deleted. Raises GoesOn where another delivery has to go on.

    Raises AtWork if another one is at it: two at once would each leave out what is deleted at their time, and the card
    of one stand by the files of the other.
    """
    with lease.held(dataset_id, LEASE, context), suppress(Waiting):
        with suppress(Ended):
            _make(dataset_id, context)
        parts.discard(dataset_id)
        # Also where an earlier delivery ended it and was killed before it said so.
        wake(dataset_id)


def _make(dataset_id: str, context: Any) -> None:
    dataset = Dataset.find(dataset_id)
    if dataset is None or not dataset.is_open:
        return
    wait_for_runs(dataset)
    try:
        changes: dict[str, Any] = {"status": "ready", "card": _written(dataset, context)}
    except ApiError as error:
        failed = Failure(code=error.code or "assembly_failed", message=error.message)
        changes = {"status": "failed", "error": failed}
    dataset.change_open(changes)


def give_up(dataset_id: str, reason: str) -> None:
    """Let a dataset that could not be made end as failed, and its run with it."""
    dataset = Dataset.find(dataset_id)
    if dataset:
        plan_again(dataset.give_up("assembly_failed", f"The dataset could not be made: {reason}."), dataset.id)
        parts.discard(dataset_id)
        wake(dataset_id)


def _written(dataset: Dataset, context: Any) -> DatasetCard:
    making = Making.of_dataset(dataset)
    teachers = {source.model for source in dataset.source}
    teacher = teachers.pop() if len(teachers) == 1 else None
    grading = Unpaid(making, teacher) if dataset.dry_run else StoredRuns(dataset, making, teacher)
    with curated(making, context, grading) as settled:
        if making.recipe.method == "dpo" and not settled.figures.rows and not dataset.dry_run:
            raise too_few_pairs(settled.figures, 1)
        if dataset.dry_run:
            settled.write_rows()
        else:
            settled.write_files()
            settled.link(Node("dataset", dataset.id))
        agreement = list(settled.agreement)
        about = About(dataset.id, dataset.created_at, dataset.trainer, terms=dataset.teacher_terms, agreement=agreement)
        warnings = write_report(settled.figures, settled.counted(), making, about)
    about_it: dict[str, Any] = {"id": dataset.id, "created_at": dataset.created_at, "teacher": teacher}
    return card_of(settled, making.recipe, grading, **about_it, warnings=warnings)
