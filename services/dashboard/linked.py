"""Objects that a page names, and the pages on which they are."""

from __future__ import annotations

from typing import Any, NamedTuple

from dashboard.shown import step
from distillations.file_source import line_of

_SYNTHETIC = "synthetic-"
_PAGES = {
    "completion": "/completions/",
    "dataset": "/datasets/",
    "distillation": "/distillations/",
    "model": "/models/",
    "alias": "/aliases/",
}


class Linked(NamedTuple):
    """An object: its kind, its id, and the path of its page, if it has one."""

    kind: str
    id: str
    path: str | None


def linked(kind: str, object_id: str) -> Linked:
    return Linked(kind, object_id, _PAGES[kind] + step(object_id) if kind in _PAGES else None)


def row_path(row_id: str) -> str | None:
    """The page of the completion that a row is; None for a line of a file, and for what a teacher wrote."""
    return None if line_of(row_id) or row_id.startswith(_SYNTHETIC) else _PAGES["completion"] + step(row_id)


def made_of(lineage: Any) -> list[Linked]:
    """What was made from an object, as its lineage says."""
    nodes = lineage["nodes"] if lineage else []
    return [linked(node["kind"], node["id"]) for node in nodes if node["side"] == "down"]


def made_from(lineage: Any) -> list[Linked]:
    """What an object was made from."""
    nodes = lineage["nodes"] if lineage else []
    return [linked(node["kind"], node["id"]) for node in nodes if node["side"] == "up"]
