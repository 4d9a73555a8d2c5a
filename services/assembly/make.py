"""Make a dataset that somebody asked for by itself.

In: its id; the completions and test rows were chosen when it was asked for. Out: the dataset's files, the
lineage of each completion, and last its record as `ready` with the card, or as `failed` with the reason. Redelivered,
it writes the same bytes; one that has ended is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from assembly.files import write_files, write_rows
from assembly.made import LEASE, card_of, curated
from completions import selection
from completions.corrections import frozen
from distillations import lineage
from distillations.dataset import Dataset, DatasetCard
from distillations.failure import Failure
from distillations.lineage import Node
from distillations.recipe import Recipe, UsedRecipe
from distillations.rows import rows_of
from evals.data_sources import FileId
from foundation import lease
from foundation.errors import ApiError


def make(dataset_id: str, context: Any) -> None:
    """Make the dataset, unless it has ended or was deleted. Raises AtWork if another delivery is at it.

    Two at once would each leave out what is deleted at their time, and the card of one stand by the files of the other.
    """
    with lease.held(dataset_id, LEASE, context):
        _make(dataset_id)


def _make(dataset_id: str) -> None:
    dataset = Dataset.find(dataset_id)
    if dataset is None or dataset.status != "queued":
        return
    try:
        changes: dict[str, Any] = {"status": "ready", "card": _written(dataset)}
    except ApiError as error:
        failed = Failure(code=error.code or "assembly_failed", message=error.message)
        changes = {"status": "failed", "error": failed}
    dataset.change(changes, where={"status": "queued"})


def give_up(dataset_id: str, reason: str) -> None:
    """Let a dataset that could not be made end as failed."""
    dataset = Dataset.find(dataset_id)
    if dataset:
        error = Failure(code="assembly_failed", message=f"The dataset could not be made: {reason}.")
        dataset.change({"status": "failed", "error": error}, where={"status": "queued"})


def _written(dataset: Dataset) -> DatasetCard:
    recipe = UsedRecipe(source=dataset.source, **(dataset.recipe or Recipe()).model_dump())
    completions = selection.read(dataset.key("selection.jsonl"))
    corrections = frozen(dataset.key("corrections.jsonl"))
    test = _test_items(dataset)
    with curated(recipe, completions, test, trainer=dataset.trainer, corrections=corrections) as curator:
        if dataset.dry_run:
            write_rows(dataset.id, curator)
        else:
            write_files(dataset.id, curator)
            node = Node("dataset", dataset.id)
            lineage.link_completions((example.row.id for example in curator.examples), node)
    teachers = {source.model for source in dataset.source}
    teacher = teachers.pop() if len(teachers) == 1 else None
    return card_of(curator, recipe, id=dataset.id, created_at=dataset.created_at, teacher=teacher)


def _test_items(dataset: Dataset) -> Iterator[dict[str, Any]]:
    """The items of the test rows: of a file, or of the completions that were chosen for them."""
    if isinstance(dataset.held_out, FileId):
        return (row["item"] for row in rows_of(dataset.held_out, "", param="held_out"))
    return (completion.row()["item"] for completion in selection.read(dataset.key("held_out.jsonl")))
