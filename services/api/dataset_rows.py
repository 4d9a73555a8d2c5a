"""The rows of datasets: what became of each completion, in one dataset, in two, and of one completion in all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any, Literal

import orjson

from api.completions import reference_of
from api.dataset_diff import DatasetDiff, diff_of
from distillations import lineage
from distillations.dataset import Dataset, DatasetCard
from distillations.dataset_row import DatasetRow
from distillations.row_index import Rows
from foundation import blobs, http
from foundation.document import Document
from foundation.errors import ApiError, NotFound
from foundation.routes import AFTER, LIMIT, Query, Routes

router = Routes("Datasets")
NOT_READY = {404: "There is no such dataset, or it is not ready."}
OUTCOME = Query("outcome", "Only those with it.", {"type": "string", "enum": ["train", "validation", "dropped"]})
RULE = Query("rule", "Only completions to which this rule did something, by its name in the card.")


class CompletionDataset(Document):
    """A dataset that has a completion among its examples."""

    id: str
    """The dataset's id."""
    object: Literal["chat.completion.dataset"] = "chat.completion.dataset"
    completion_id: str
    created_at: int | None
    """When the dataset was asked for, in seconds since the epoch; null where it was deleted."""
    distillation_id: str | None
    """The distillation that it was made for."""
    row: DatasetRow | None
    """Where the completion stands in it, its grades, and what rules changed; null where the dataset was deleted."""


@router.get(
    "/v1/datasets/<dataset_id>/rows",
    scope="read",
    lists=DatasetRow,
    query=(AFTER, LIMIT, OUTCOME, RULE),
    errors=NOT_READY,
)
def list_dataset_rows(dataset_id: str) -> dict[str, Any]:
    """List what became of each completion, in the order of their time: where it stands, or which rule dropped it.

    Each with its evidence: the completion that is kept in its place, the test row that it would have leaked.
    """
    limit = http.limit_of(router)
    outcome, rule = one_of(router, "outcome", OUTCOME), http.query_of(router, "rule")
    rows = Rows(ready(dataset_id).id)
    return http.listed(rows.fitting(outcome, rule, after=http.query_of(router, "after")), limit)


@router.get(
    "/v1/datasets/<dataset_id>/rows/<row_id>",
    scope="read",
    errors={404: "There is no such dataset, it is not ready, or it has not looked at such a completion."},
)
def retrieve_dataset_row(dataset_id: str, row_id: str) -> DatasetRow:
    """Retrieve what became of one completion: where it stands, its grades, and which rules changed or dropped it."""
    row = Rows(ready(dataset_id).id).find(row_id)
    if row is None:
        raise NotFound("row of the dataset", row_id, param="row_id")
    return DatasetRow.model_validate(row)


@router.get("/v1/datasets/<dataset_id>/diff/<other_id>", scope="read", errors=NOT_READY)
def diff_datasets(dataset_id: str, other_id: str) -> DatasetDiff:
    """Compare what became of completions in two datasets: which one has alone, and which ended otherwise, and why."""
    return diff_of(partial(_rows, ready(dataset_id)), partial(_rows, ready(other_id)), dataset_id, other_id)


@router.get(
    "/v1/chat/completions/<completion_id>/datasets", scope="read", lists=CompletionDataset, query=(AFTER, LIMIT)
)
def list_completion_datasets(completion_id: str) -> dict[str, Any]:
    """List the datasets that have a stored completion among their examples, each with where it stands there.

    Those that only looked at it and dropped it are not listed. Of one that was deleted its id is known.
    """

    def shown(found: dict[str, str]) -> CompletionDataset:
        dataset = Dataset.find(found["id"])
        row = None
        # One that is older than the index of rows, or is just being deleted, has none.
        with suppress(ApiError):
            row = Rows(dataset.id).find(completion_id) if dataset and dataset.card else None
        return CompletionDataset(
            id=found["id"],
            completion_id=completion_id,
            created_at=dataset.created_at if dataset else None,
            distillation_id=dataset.distillation_id if dataset else None,
            row=DatasetRow.model_validate(row) if row else None,
        )

    ids = lineage.went_into(completion_id, "dataset")
    if not ids:
        # One that was deleted has no reference any more, and its datasets are told nevertheless.
        reference_of(completion_id)
    return http.page_of(router, [{"id": dataset_id} for dataset_id in ids], shown)


def ready(dataset_id: str) -> Dataset:
    """The dataset with this id. Raises ApiError where there is none, or it is not ready."""
    dataset = Dataset.load(dataset_id, param="dataset_id")
    card_of(dataset)
    return dataset


def card_of(dataset: Dataset) -> DatasetCard:
    """Raises ApiError where the dataset has none: why it was not assembled is the remedy."""
    if dataset.card is None:
        reason = dataset.error.message if dataset.error else f"it is {dataset.status}."
        raise ApiError(f"The dataset has no card: {reason}", code="no_card", param="dataset_id", status=404)
    return dataset.card


def one_of(app: Any, name: str, query: Query) -> str | None:
    """The value of a query parameter that has a list of them. Raises ApiError where it is none of these."""
    given = http.query_of(app, name)
    known = query.schema["enum"]
    if given is not None and given not in known:
        raise ApiError(f"Invalid '{name}': use one of {', '.join(known)}.", code="invalid_value", param=name)
    return given


def _rows(dataset: Dataset) -> Iterator[dict[str, Any]]:
    return map(orjson.loads, blobs.lines(dataset.key("rows.jsonl")))
