"""Assemble the training set of a distillation.

In: `AssembleDataset`. Out: `train.jsonl`, `validation.jsonl` and `manifest.jsonl` under `datasets/{id}/`, the
lineage of each completion, and last the card, whose arrival starts the job. A set is assembled once, whatever is
redelivered. One that no trainer takes is recorded as failed, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import IO, Any

import orjson

from assembly.curate import Curator, Example
from assembly.curation import Known
from completions import index
from completions.sources import StoredCompletions
from distillations import lineage
from distillations.dataset import LEAST_EXAMPLES, VALIDATION_SHARE, Dataset, DatasetCard, Recipe, dataset_key
from distillations.distillation import Distillation
from distillations.failure import Failure
from distillations.held_out import HeldOut
from distillations.lineage import Node
from distillations.trainers import TRAINERS
from foundation import blobs, bus
from foundation.errors import ApiError
from foundation.events import AdvanceDistillation, AssembleDataset

_FILES = ("train", "validation", "manifest")


def assemble(message: AssembleDataset) -> None:
    """Write the dataset, or record why there is none, and announce it. One that exists is only announced again.

    What is captured or deleted between two deliveries thus changes nothing: a set that failed starts no job later.
    """
    distillation = Distillation.load(message.distillation_id)
    if distillation.status != "assembling":
        return
    # An existing one too: its entry in the list may be missing.
    (Dataset.find(message.dataset_id) or _assembled(distillation, message)).create()
    _announce(Dataset.load(message.dataset_id))


def _assembled(distillation: Distillation, message: AssembleDataset) -> Dataset:
    try:
        return _dataset(message, status="ready", card=_write(distillation, message))
    except ApiError as error:
        failed = Failure(code=error.code or "assembly_failed", message=error.message)
        return _dataset(message, status="failed", error=failed)


def _announce(dataset: Dataset) -> None:
    """Let the card land, which starts the job; without one, tell the distillation."""
    if dataset.card is None:
        advance = AdvanceDistillation(distillation_id=dataset.distillation_id)
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
    source = distillation.training_source
    if not isinstance(source, StoredCompletions):
        raise ApiError("train must be a filter on stored completions.", code="unsupported_source", param="train")
    known = Known(held_out=_held_out(distillation), example=TRAINERS[distillation.trainer].example)
    trains_history = distillation.train_on_history
    curator = Curator(known, seed=distillation.seed, share=VALIDATION_SHARE, trains_history=trains_history)
    with ExitStack() as stack:
        files = {name: stack.enter_context(TemporaryFile()) for name in _FILES}
        rows = _fill(files, curator.examples(index.completions(source, limit=source.limit)))
        _check(distillation, rows, curator)
        for name, file in files.items():
            file.seek(0)
            key = dataset_key(message.dataset_id, f"{name}.jsonl")
            blobs.put_lines(key, file, content_type="application/jsonl")
        files["manifest"].seek(0)
        ids = (orjson.loads(line)["completion_id"] for line in files["manifest"])
        lineage.link_completions(ids, Node("dataset", message.dataset_id))
    return DatasetCard(
        id=message.dataset_id,
        created_at=message.at // 1000,
        distillation_id=distillation.id,
        teacher=distillation.teacher,
        teacher_terms=distillation.teacher_terms,
        student=distillation.student,
        recipe=Recipe(
            source=source,
            validation_share=VALIDATION_SHARE,
            seed=distillation.seed,
            group_by=distillation.gate.group_by,
            train_on_history=trains_history,
        ),
        selected=curator.selected,
        rows=rows["train"] + rows["validation"],
        train_rows=rows["train"],
        validation_rows=rows["validation"],
        dropped=dict(curator.dropped),
        contradicted=curator.dropped_ids["contradictions"],
        malformed=curator.problems,
        history_turns=rows["history_turns"],
    )


def _held_out(distillation: Distillation) -> HeldOut:
    """The test rows, which must not train."""
    held_out = HeldOut(distillation.gate.group_by)
    for line in blobs.lines(distillation.rows_key):
        held_out.add(orjson.loads(line)["item"])
    return held_out


def _fill(files: Mapping[str, IO[bytes]], examples: Iterator[Example]) -> dict[str, int]:
    """Write the examples; the rows of each split, and the assistant turns before their answers."""
    rows = {"train": 0, "validation": 0, "history_turns": 0}
    for example in examples:
        split = "validation" if example.validates else "train"
        rows[split] += 1
        rows["history_turns"] += example.history_turns
        files[split].write(example.line + b"\n")
        entry = {"completion_id": example.completion_id, "split": split, "line": rows[split]}
        files["manifest"].write(orjson.dumps(entry) + b"\n")
    return rows


def _check(distillation: Distillation, rows: dict[str, int], curator: Curator) -> None:
    if rows["train"] >= LEAST_EXAMPLES:
        return
    dropped = ", ".join(f"{count} {reason}" for reason, count in curator.dropped.items() if count)
    raise ApiError(
        f"The training set has {rows['train']} examples; at least {LEAST_EXAMPLES} are needed. The filter in "
        f"'train' with teacher {distillation.teacher} gave too few; dropped: {dropped or 'none'}.",
        code="too_few_examples",
        param="train",
    )
