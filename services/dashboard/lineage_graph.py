"""The lineage of an object as a page draws it: what is alike is folded, so that a few boxes stand for thousands.

In: the lineage as the API gives it. Out: the figure, whose boxes lead to the lineages of their objects, and a line for
each object with its own page, if it has one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, NamedTuple

from dashboard.linked import linked
from dashboard.shown import step
from dashboard.visit import link
from plots import Box, Figure, graph

_MOST_OF_A_KIND = 4
"""The most objects of a kind and side that have a box each; the others share one."""
_COMPLETIONS = "completions"
_NAMES = {"line": "line of a file", "synthetic": "written by the teacher"}


class Ancestor(NamedTuple):
    """An object of a lineage: whether it came `before` or `after`, where its lineage and its own page are."""

    kind: str
    id: str
    side: str
    walk: str
    path: str | None


def kind_name(kind: str) -> str:
    """What a kind is called for people."""
    return _NAMES.get(kind, kind.replace("_", " "))


def lineage_figure(lineage: Mapping[str, Any]) -> Figure | None:
    """The graph around an object. What is alike is folded; the completions of a dataset are one box."""
    boxes: list[Box] = []
    stands_for: dict[str, str] = {}
    for (kind, side), ids in _alike(lineage).items():
        shown = ids if len(ids) <= _MOST_OF_A_KIND + 1 else ids[:_MOST_OF_A_KIND]
        boxes += [Box(name, kind_name(kind), name, _walk(name), marked=side == "start") for name in shown]
        stands_for |= {name: name for name in shown}
        if rest := ids[len(shown) :]:
            folded = f"more {kind} {side}"
            boxes.append(Box(folded, kind_name(kind), f"{len(rest):,} more", "#objects"))
            stands_for |= dict.fromkeys(rest, folded)
    edges = [(edge["from"], edge["to"]) for edge in lineage["edges"]]
    completions = lineage["completions"]
    if completions["total"]:
        path = link(f"/datasets/{step(completions['dataset_id'])}", {"outcome": "train"})
        boxes.append(Box(_COMPLETIONS, _COMPLETIONS, f"{completions['total']:,} of its dataset", path))
        stands_for[_COMPLETIONS] = _COMPLETIONS
        edges.append((_COMPLETIONS, completions["dataset_id"]))
    lines = [(stands_for[a], stands_for[b]) for a, b in edges if a in stands_for and b in stands_for]
    return graph(
        f"Lineage of {lineage['id']}", "What it came from is on its left, what came of it on its right.", boxes, lines
    )


def objects(lineage: Mapping[str, Any]) -> list[Ancestor]:
    """The objects of a lineage, those that it came from first."""
    belongs = {edge["to"]: edge["from"] for edge in lineage["edges"] if edge["from"].startswith("eval_")}
    made_by = [node["id"] for node in lineage["nodes"] if node["kind"] == "distillation"]
    if len(made_by) == 1:
        # A verdict has no page but that of its distillation.
        belongs |= {node["id"]: made_by[0] for node in lineage["nodes"] if node["kind"] == "verdict"}
    order = {"up": 0, "start": 1, "down": 2}
    nodes = sorted(lineage["nodes"], key=lambda node: (order[node["side"]], node["kind"], node["id"]))
    return [Ancestor(node["kind"], node["id"], node["side"], _walk(node["id"]), _path(node, belongs)) for node in nodes]


def _alike(lineage: Mapping[str, Any]) -> Mapping[tuple[str, str], list[str]]:
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    for node in lineage["nodes"]:
        alike[node["kind"], node["side"]].append(node["id"])
    return alike


def _walk(object_id: str) -> str:
    return link(f"/lineage/{step(object_id)}")


def _path(node: Mapping[str, str], belongs: Mapping[str, str]) -> str | None:
    """The object's own page; `belongs` has the eval of a run, and the distillation of a verdict."""
    kind, object_id = node["kind"], node["id"]
    if kind == "verdict":
        return linked("distillation", belongs[object_id]).path if object_id in belongs else None
    if kind == "run":
        return f"/evals/{step(belongs[object_id])}/runs/{step(object_id)}" if object_id in belongs else None
    return f"/evals/{step(object_id)}" if kind == "eval" else linked(kind, object_id).path
