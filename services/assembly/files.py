"""Write the files of a training set: what trains, what validates, what they were made of, what became of the rest.

In: a curator that has decided. Out: `train.jsonl`, `validation.jsonl`, `manifest.jsonl` and `rows.jsonl`, streamed from
the spool, so that no copy of the set is held. The same completions and recipe give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import orjson

from assembly.curate import Curator
from distillations import lineage, row_index
from distillations.dataset import dataset_key
from distillations.lineage import Node
from foundation import blobs

_MEDIA = "application/jsonl"


def write_files(dataset_id: str, curator: Curator) -> None:
    """Write the four files over whatever an earlier delivery left."""
    _write(dataset_id, "train", _lines(curator, "train"))
    _write(dataset_id, "validation", _lines(curator, "validation"))
    _write(dataset_id, "manifest", _manifest(curator))
    write_rows(dataset_id, curator)


def write_rows(dataset_id: str, curator: Curator) -> None:
    """Write what became of each completion, and the index of that."""
    row_index.write(dataset_id, curator.rows())


def link_examples(curator: Curator, dataset: Node) -> None:
    """Record that the examples went into the dataset, and of which no completion was captured."""
    for kind in ("completion", "synthetic"):
        ids = (row.id for row, _ in curator.examples if row.synthetic is (kind == "synthetic"))
        lineage.link_completions(ids, dataset, kind=kind)


def _write(dataset_id: str, name: str, lines: Iterable[bytes]) -> None:
    blobs.put_lines(dataset_key(dataset_id, f"{name}.jsonl"), lines, content_type=_MEDIA)


def _lines(curator: Curator, outcome: str) -> Iterator[bytes]:
    for row, place in curator.examples:
        if place.outcome == outcome:
            line = curator.line(row) + b"\n"
            yield from (line for _ in range(place.copies))


def _manifest(curator: Curator) -> Iterator[bytes]:
    for row, place in curator.examples:
        entry = {"completion_id": row.id, "split": place.outcome, "line": place.line}
        entry |= {"synthetic": True} if row.synthetic else {}
        yield orjson.dumps(entry) + b"\n"
