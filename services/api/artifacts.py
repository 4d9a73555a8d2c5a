"""What a distillation leaves behind: datasets with card and content, jobs and their events, the lineage."""

from __future__ import annotations

from itertools import islice
from typing import Any

import orjson
from aws_lambda_powertools.event_handler import Response

from api.files import download
from completions import index
from distillations import lineage
from distillations.dataset import Dataset, DatasetCard
from distillations.job import Job
from foundation import blobs, http, table
from foundation.errors import ApiError, NotFound
from foundation.routes import Routes

router = Routes("Artifacts")
_MOST_COMPLETIONS = 1000


@router.get("/v1/datasets", scope="read")
def list_datasets() -> dict[str, Any]:
    return http.list_of(router, Dataset, lambda one: one.model_dump(mode="json"), order="desc")


@router.get("/v1/datasets/<dataset_id>", scope="read")
def retrieve_dataset(dataset_id: str) -> dict[str, Any]:
    return Dataset.load(dataset_id, param="dataset_id").model_dump(mode="json")


@router.get("/v1/datasets/<dataset_id>/card", scope="read")
def dataset_card(dataset_id: str) -> dict[str, Any]:
    return _card(Dataset.load(dataset_id, param="dataset_id")).model_dump(mode="json")


def _card(dataset: Dataset) -> DatasetCard:
    """Raises ApiError where the dataset has none: why it was not assembled is the remedy."""
    if dataset.card is None:
        reason = dataset.error.message if dataset.error else f"it is {dataset.status}."
        raise ApiError(f"The dataset has no card: {reason}", code="no_card", param="dataset_id", status=404)
    return dataset.card


@router.get("/v1/datasets/<dataset_id>/content", scope="read")
def dataset_content(dataset_id: str) -> Response[Any]:
    return download(Dataset.load(dataset_id, param="dataset_id").key("train.jsonl"))


@router.get("/v1/fine_tuning/jobs/<job_id>", scope="read")
def retrieve_job(job_id: str) -> dict[str, Any]:
    return Job.load(job_id, param="fine_tuning_job_id").model_dump(mode="json")


@router.get("/v1/fine_tuning/jobs/<job_id>/events", scope="read")
def list_job_events(job_id: str) -> dict[str, Any]:
    Job.load(job_id, param="fine_tuning_job_id")
    rows = sorted(table.query(job_id, prefix="EVENT#"), key=lambda row: row["created_at"], reverse=True)
    shown = ("id", "created_at", "level", "message")
    events = [
        {"object": "fine_tuning.job.event", "type": "message", **{name: row[name] for name in shown}} for row in rows
    ]
    return http.listed(events, has_more=False)


@router.get("/v1/lineage/<object_id:path>", scope="read")
def show_lineage(object_id: str) -> dict[str, Any]:
    graph = lineage.graph(object_id)
    if not graph["nodes"]:
        if index.find(object_id) is None:
            raise NotFound("object with a lineage", object_id)
        graph["nodes"] = [{"id": object_id, "kind": "completion", "side": "start"}]
    return {"object": "lineage", "id": object_id, **graph, "completions": _completions(graph["nodes"])}


def _completions(nodes: list[dict[str, Any]]) -> dict[str, Any]:
    """The completions that made this: those of the dataset that it is or came from."""
    datasets = [node["id"] for node in nodes if node["kind"] == "dataset" and node["side"] != "down"]
    if not datasets:
        return {"total": 0, "data": [], "has_more": False}
    dataset = Dataset.load(datasets[0])
    limit = http.limit_of(router, default=100, most=_MOST_COMPLETIONS)
    lines = islice(blobs.lines(dataset.key("manifest.jsonl")), limit)
    ids = [orjson.loads(line)["completion_id"] for line in lines]
    total = _card(dataset).rows
    return {"total": total, "data": ids, "has_more": total > len(ids), "dataset_id": dataset.id}
