"""The lineage graph: completion -> dataset -> job -> model version -> run -> verdict -> alias, walkable both ways.

Beside this chain, an eval goes into its runs and distillations, a file into the runs over it and the datasets of its
lines, a run into its calibrations, and a distillation into its test rows, runs and dataset.

In: edges, each written as a row at both of its ends. Out: the graph around an id. From a dataset to its completions
there are no edges, since there may be any number of them: its manifest lists them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from distillations.file_source import line_of
from evals.data_sources import FileId
from evals.run import Run
from foundation import table

_MANY = 500


class Node(NamedTuple):
    """A node of the graph: an object by its kind and id."""

    kind: str
    id: str


def link(edges: Iterable[tuple[Node, Node]]) -> None:
    """Record that each first node went into its second. Doing it again changes nothing."""
    table.write_all(row for edge in edges for row in _both_ends(*edge))


def link_completions(completion_ids: Iterable[str], target: Node, *, kind: str = "completion") -> None:
    """Record that these completions went into a dataset or a test set: downwards only.

    `kind` is `synthetic` for what a teacher wrote and nobody captured. Lines of uploaded files are of the kind `line`;
    their files went into it, too.
    """
    files: dict[str, None] = {}

    def nodes() -> Iterator[Node]:
        for completion_id in completion_ids:
            line = line_of(completion_id)
            if line:
                files[line.file_id] = None
            yield Node("line" if line else kind, completion_id)

    table.write_all(_end("DOWN", node, target) for node in nodes())
    link((Node("file", file_id), target) for file_id in files)


def link_run(run: Run) -> None:
    """Record that an eval, and the file of its rows if they lie in one, went into a run."""
    node = Node("run", run.id)
    source = run.data_source.source
    files = [Node("file", source.id)] if isinstance(source, FileId) else []
    link((origin, node) for origin in (Node("eval", run.eval_id), *files))


def _both_ends(source: Node, target: Node) -> list[table.Row]:
    return [_end("DOWN", source, target), _end("UP", target, source)]


def _end(direction: str, here: Node, there: Node) -> table.Row:
    return {
        "pk": f"L#{here.id}",
        "sk": f"{direction}#{there.kind}#{there.id}",
        "kind": here.kind,
    }


def went_into(source_id: str, kind: str) -> list[str]:
    """The ids of all objects of a kind that an object went into."""
    return [row["sk"].split("#", 2)[2] for row in table.query(f"L#{source_id}", prefix=f"DOWN#{kind}#")]


def graph(start: str) -> dict[str, Any]:
    """The graph of everything that an id went into and came from; without nodes if the id is unknown.

    A node's `side` is `start`, `down` (it came from the start) or `up` (the start came from it). `has_more` tells that
    there are more than 500 on a side, of which the nearest are given.
    """
    nodes: dict[str, dict[str, str]] = {}
    edges: dict[tuple[str, str], None] = {}
    has_more = False
    for direction in ("DOWN", "UP"):
        open_ids, seen = [start], {start}
        while open_ids:
            here = open_ids.pop(0)
            for row in table.query(f"L#{here}", prefix=f"{direction}#"):
                if len(seen) > _MANY:
                    open_ids, has_more = [], True
                    break
                _, kind, there = row["sk"].split("#", 2)
                nodes.setdefault(here, {"id": here, "kind": row["kind"], "side": "start"})
                nodes.setdefault(there, {"id": there, "kind": kind, "side": direction.lower()})
                edges[(here, there) if direction == "DOWN" else (there, here)] = None
                if there not in seen:
                    seen.add(there)
                    open_ids.append(there)
    return {
        "nodes": list(nodes.values()),
        "edges": [{"from": source, "to": target} for source, target in edges],
        "has_more": has_more,
    }
