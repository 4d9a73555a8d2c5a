"""What a distillation leaves behind: the lineage of everything."""

from __future__ import annotations

from itertools import islice
from typing import Any, Literal

import orjson
from pydantic import ConfigDict, Field

from aliases.alias import Alias
from completions import index
from completions.saved_filters import SavedFilter
from distillations import lineage
from distillations.dataset import Dataset
from distillations.distillation import Distillation
from distillations.job import Job
from distillations.verdict import Verdict
from evals.calibrations import Calibration
from evals.eval import Eval
from evals.files import File
from evals.run import Run
from foundation import blobs, http
from foundation.document import Document
from foundation.errors import NotFound
from foundation.records import Record
from foundation.routes import Query, Routes
from providers.model_version import ModelVersion

router = Routes("Artifacts")
_MOST_COMPLETIONS = 1000
_KINDS: dict[str, type[Record]] = {
    "distillation": Distillation,
    "eval": Eval,
    "run": Run,
    "file": File,
    "dataset": Dataset,
    "job": Job,
    "model": ModelVersion,
    "verdict": Verdict,
    "calibration": Calibration,
    "filter": SavedFilter,
    "alias": Alias,
}
"""What has a lineage besides completions, by the kind of its node."""
COMPLETIONS = Query("limit", "How many completions are named: 1 to 1000, 100 if absent.", {"type": "integer"})


class LineageNode(Document):
    """An object in the graph."""

    id: str
    kind: str
    """`completion`, `distillation`, `dataset`, `job`, `model`, `run`, `verdict`, `alias` …"""
    side: Literal["start", "up", "down"]
    """`start` is the object asked for; it came from those `up`, and those `down` came from it."""


class LineageEdge(Document):
    """That one object went into another."""

    model_config = ConfigDict(serialize_by_alias=True)

    source: str = Field(alias="from")
    """The id of the object that went into the other."""
    target: str = Field(alias="to")


class LineageCompletions(Document):
    """The completions of the dataset that the object is, or came from."""

    total: int
    data: list[str]
    """Their ids, as many as were asked for."""
    has_more: bool
    dataset_id: str | None = None
    """Null where there is no dataset."""


class Lineage(Document):
    """The graph around an object."""

    object: Literal["lineage"] = "lineage"
    id: str
    nodes: list[LineageNode]
    edges: list[LineageEdge]
    has_more: bool
    """Whether the object has more than 500 others on a side: the nearest are shown."""
    completions: LineageCompletions


@router.get("/v1/lineage/<object_id:path>", scope="read", query=(COMPLETIONS,))
def show_lineage(object_id: str) -> Lineage:
    """Show what an object came from and what it went into.

    The object may be a completion, a saved filter, an eval, a file, a run, a calibration, a distillation, a dataset, a
    job, a model, a verdict or an alias.
    """
    graph = lineage.graph(object_id)
    if not graph["nodes"]:
        graph["nodes"] = [{"id": object_id, "kind": _kind_of(object_id), "side": "start"}]
    _add_alias(graph, object_id)
    return Lineage(id=object_id, **graph, completions=_completions(graph["nodes"]))


def _kind_of(object_id: str) -> str:
    """The kind of an object that nothing is linked to yet. Raises NotFound if there is no such object."""
    known = next((kind for kind, record in _KINDS.items() if record.find(object_id)), None)
    if known is None and index.find(object_id) is None:
        raise NotFound("object with a lineage", object_id)
    return known or "completion"


def _add_alias(graph: dict[str, Any], object_id: str) -> None:
    """Add the alias that a completion was asked by. The way down is a filter: an alias has too many completions."""
    if not any(node["side"] == "start" and node["kind"] == "completion" for node in graph["nodes"]):
        return
    reference = index.find(object_id)
    completion = next(index.read([reference]), None) if reference else None
    if completion and completion.alias:
        name = completion.alias["name"]
        graph["nodes"].append({"id": name, "kind": "alias", "side": "up"})
        graph["edges"].append({"from": name, "to": object_id})


def _completions(nodes: list[dict[str, Any]]) -> LineageCompletions:
    """The completions that made this: those of the dataset that it is or came from."""
    datasets = [node["id"] for node in nodes if node["kind"] == "dataset" and node["side"] != "down"]
    if not datasets:
        return LineageCompletions(total=0, data=[], has_more=False)
    dataset = Dataset.find(datasets[0])
    if dataset is None or dataset.card is None:
        # It is being assembled, or failed.
        return LineageCompletions(total=0, data=[], has_more=False, dataset_id=datasets[0])
    limit = http.limit_of(router, default=100, most=_MOST_COMPLETIONS)
    lines = islice(blobs.lines(dataset.key("manifest.jsonl")), limit)
    ids = [orjson.loads(line)["completion_id"] for line in lines]
    total = dataset.card.rows
    return LineageCompletions(total=total, data=ids, has_more=total > len(ids), dataset_id=dataset.id)
