"""The lineage graph: completion -> dataset -> job -> model version -> run -> verdict, walkable both ways.

In: edges, written twice (once at each end). Out: the graph around an id. A dataset's completions are not edges
upwards but its manifest, which may have any length.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from foundation import table

_MANY = 500


class Node(NamedTuple):
    """A thing in the graph."""

    kind: str
    id: str


def link(edges: Iterable[tuple[Node, Node]]) -> None:
    """Record that each first node went into its second. Doing it again changes nothing."""
    table.write_all(row for edge in edges for row in _both_ends(*edge))


def link_completions(completion_ids: Iterable[str], target: Node) -> None:
    """Record that these completions went into a dataset or a test set: downwards only."""
    table.write_all(_end("DOWN", Node("completion", completion_id), target) for completion_id in completion_ids)


def _both_ends(source: Node, target: Node) -> list[table.Row]:
    return [_end("DOWN", source, target), _end("UP", target, source)]


def _end(direction: str, here: Node, there: Node) -> table.Row:
    return {
        "pk": f"L#{here.id}",
        "sk": f"{direction}#{there.kind}#{there.id}",
        "kind": here.kind,
    }


def graph(start: str) -> dict[str, Any]:
    """Nodes and edges reachable from an id, downwards and upwards; empty where the id is unknown."""
    nodes: dict[str, str] = {}
    edges: dict[tuple[str, str], None] = {}
    for direction in ("DOWN", "UP"):
        seen = {start}
        open_ids = [start]
        while open_ids and len(nodes) < _MANY:
            here = open_ids.pop(0)
            for row in table.query(f"L#{here}", prefix=f"{direction}#"):
                _, kind, there = row["sk"].split("#", 2)
                nodes.setdefault(here, row["kind"])
                nodes.setdefault(there, kind)
                edges[(here, there) if direction == "DOWN" else (there, here)] = None
                if there not in seen:
                    seen.add(there)
                    open_ids.append(there)
    return {
        "nodes": [{"id": node, "kind": kind} for node, kind in nodes.items()],
        "edges": [{"from": source, "to": target} for source, target in edges],
    }
