"""The validation rows of a training set as rows of a run, on which models are compared that learnt from it.

In: a training set that is made. Out: one JSONL object, written once, and its file. A row is the completion as it
was captured, so that models are asked as the application asks. Where a completion has no reference, the teacher's
answer is it: what the student is to imitate.

Of many rows 1,000 are drawn by lot, the same each time: each is paid for as often as there are attempts, and more
would tell apart what differs by a point or two alone.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator
from itertools import batched
from typing import Any

import orjson

from completions import index
from completions.completion import Completion
from completions.messages import text_of
from distillations import file_lines, lineage
from distillations.dataset import dataset_key
from distillations.distillation import Distillation
from distillations.lineage import Node
from evals.files import File
from foundation import blobs
from foundation.ids import derived_id, now

MOST_ROWS = 1000
_AT_ONCE = 100


def freeze(distillation: Distillation) -> File | None:
    """The rows for the attempts of a distillation; None where none of their completions is left."""
    key = f"distillations/{distillation.id}/validation.jsonl"
    file_id = derived_id("file-", distillation.id, "validation")
    return frozen(file_id, key, distillation.dataset_id or "", distillation.seed)


def frozen(file_id: str, key: str, dataset_id: str, seed: int) -> File | None:
    """Write the rows of a dataset unless they are written, and answer their file; None where there are none."""
    if not blobs.exists(key):
        lines = (orjson.dumps(row) + b"\n" for row in _rows(dataset_id, seed))
        blobs.put_new_lines(key, lines, content_type="application/jsonl")
    if not blobs.exists(key):
        return None
    name = f"{dataset_id}-validation.jsonl"
    file = File(id=file_id, created_at=now(), bytes=blobs.size(key), filename=name, purpose="evals", key=key)
    file.create()
    node = Node("file", file.id)
    lineage.link([(Node("dataset", dataset_id), node)])
    lineage.link_completions((orjson.loads(line)["item"]["completion_id"] for line in blobs.lines(key)), node)
    return file


def _rows(dataset_id: str, seed: int) -> Iterator[dict[str, Any]]:
    """The rows in the order of the training set, those of stored completions before the lines of files."""
    chosen = _chosen(dataset_id, seed)
    for together in batched(chosen, _AT_ONCE, strict=False):
        references = [reference for completion_id in together if (reference := index.find(completion_id))]
        yield from map(_row, index.read(references))
    yield from map(_row, file_lines.of_rows(chosen))


def _chosen(dataset_id: str, seed: int) -> list[str]:
    """The completions that validate, in their order; of many, those drawn by lot."""
    entries = (orjson.loads(line) for line in blobs.lines(dataset_key(dataset_id, "manifest.jsonl")))
    ids = [entry["completion_id"] for entry in entries if entry["split"] == "validation"]
    drawn = set(heapq.nsmallest(MOST_ROWS, ids, key=lambda one: _lot(seed, one)))
    return [completion_id for completion_id in ids if completion_id in drawn]


def _lot(seed: int, completion_id: str) -> bytes:
    return hashlib.sha256(f"choosing:{seed}:{completion_id}".encode()).digest()


def _row(completion: Completion) -> dict[str, Any]:
    row = completion.row(with_sample=False)
    if row["item"]["reference"] is None:
        row["item"]["reference"] = text_of(completion.choice["message"].get("content")) or None
    return row
