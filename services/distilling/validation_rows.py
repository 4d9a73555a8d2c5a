"""The validation rows of a training set as rows of a run, on which attempts are compared.

In: a distillation whose set is made. Out: one JSONL object, written once, and its file. A row is the completion as it
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
from distillations import lineage
from distillations.dataset import dataset_key
from distillations.distillation import Distillation
from distillations.lineage import Node
from evals.files import File
from foundation import blobs
from foundation.ids import derived_id

MOST_ROWS = 1000
_AT_ONCE = 100


def freeze(distillation: Distillation) -> File | None:
    """Write the rows unless they are written, and answer their file; None where none of their completions is left."""
    key = f"distillations/{distillation.id}/validation.jsonl"
    if not blobs.exists(key):
        lines = (orjson.dumps(row) + b"\n" for row in _rows(distillation))
        blobs.put_new_lines(key, lines, content_type="application/jsonl")
    if not blobs.exists(key):
        return None
    file = File(
        id=derived_id("file-", distillation.id, "validation"),
        created_at=distillation.created_at,
        bytes=blobs.size(key),
        filename=f"{distillation.id}-validation.jsonl",
        purpose="evals",
        key=key,
    )
    file.create()
    node = Node("file", file.id)
    lineage.link([(Node("dataset", distillation.dataset_id or ""), node)])
    ids = (orjson.loads(line)["item"]["completion_id"] for line in blobs.lines(key))
    lineage.link_completions(ids, node)
    return file


def _rows(distillation: Distillation) -> Iterator[dict[str, Any]]:
    """The rows in the order of the training set."""
    for together in batched(_chosen(distillation), _AT_ONCE, strict=False):
        references = [reference for completion_id in together if (reference := index.find(completion_id))]
        yield from map(_row, index.read(references))


def _chosen(distillation: Distillation) -> list[str]:
    """The completions that validate, in their order; of many, those drawn by lot."""
    lines = blobs.lines(dataset_key(distillation.dataset_id or "", "manifest.jsonl"))
    entries = (orjson.loads(line) for line in lines)
    ids = [entry["completion_id"] for entry in entries if entry["split"] == "validation"]
    drawn = set(heapq.nsmallest(MOST_ROWS, ids, key=lambda one: _lot(distillation.seed, one)))
    return [completion_id for completion_id in ids if completion_id in drawn]


def _lot(seed: int, completion_id: str) -> bytes:
    return hashlib.sha256(f"choosing:{seed}:{completion_id}".encode()).digest()


def _row(completion: Completion) -> dict[str, Any]:
    row = completion.row(with_sample=False)
    if row["item"]["reference"] is None:
        row["item"]["reference"] = text_of(completion.choice["message"].get("content")) or None
    return row
