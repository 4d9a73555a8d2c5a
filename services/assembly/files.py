"""The files of a training set: what trains, what validates, what they were made of, what became of the rest.

In: a curator that has decided. Out: the lines of `train.jsonl`, `validation.jsonl`, `manifest.jsonl` and `rows.jsonl`,
streamed from the spool, so that no copy of the set is held. The same completions and recipe give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import orjson

from assembly.curate import Curator
from distillations import lineage, row_index
from distillations.dataset import dataset_key
from distillations.dataset_row import Outcome
from distillations.lineage import Node
from foundation import blobs

_MEDIA = "application/jsonl"


def write(dataset_id: str, name: str, lines: Iterable[bytes]) -> None:
    """Write a file over whatever an earlier delivery left; that of the rows with its index."""
    if name == "rows":
        row_index.write(dataset_id, lines)
    else:
        blobs.put_lines(dataset_key(dataset_id, f"{name}.jsonl"), lines, content_type=_MEDIA)


def link_examples(examples: Iterable[tuple[str, bool]], dataset: Node) -> None:
    """Record that examples went into the dataset, by id, and of which no completion was captured."""
    every = list(examples)
    for kind in ("completion", "synthetic"):
        ids = (name for name, synthetic in every if synthetic is (kind == "synthetic"))
        lineage.link_completions(ids, dataset, kind=kind)


def examples_of(curator: Curator, outcome: Outcome) -> Iterator[bytes]:
    """The examples that train, or validate."""
    for row, place in curator.examples:
        if place.outcome == outcome:
            line = curator.line(row) + b"\n"
            yield from (line for _ in range(place.copies))


def manifest_of(curator: Curator) -> Iterator[bytes]:
    """Where each example stands."""
    for row, place in curator.examples:
        entry = {"completion_id": row.id, "split": place.outcome, "line": place.line}
        entry |= {"synthetic": True} if row.synthetic else {}
        yield orjson.dumps(entry) + b"\n"


def rows_of(curator: Curator) -> Iterator[bytes]:
    """What became of each completion."""
    return map(row_index.line_of, curator.rows())
