"""Datasets: training sets made by a recipe, what is in them, and what became of every completion.

A dataset's id follows from the completions, the recipe and the test rows, so that who asks for the same gets the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson
from aws_lambda_powertools.event_handler import Response

from api.dataset_diff import DatasetDiff, diff_of
from api.dataset_export import exported
from api.files import LINK, download
from api.needed import refuse_while_needed
from api.new_dataset import NewDataset, begin
from distillations.dataset import Dataset, DatasetCard, DatasetId
from distillations.dataset_row import DatasetRow
from distillations.distillation import TERMINAL, Distillation
from distillations.formats import FORMATS
from foundation import blobs, bus, http
from foundation.document import Deleted
from foundation.errors import ApiError, Conflict
from foundation.events import PlanRun
from foundation.routes import AFTER, LIMIT, PAGE, Query, Routes

router = Routes("Datasets")
_NOT_READY = {404: "There is no such dataset, or it is not ready."}
OUTCOME = Query("outcome", "Only those with it.", {"type": "string", "enum": ["train", "validation", "dropped"]})
RULE = Query("rule", "Only completions to which this rule did something, by its name in the card.")
FORMAT = Query(
    "format",
    "; ".join(f"`{name}`: {entry.description}" for name, entry in FORMATS.items())
    + ". As it trains in the stack if absent: `openai-chat`, or `openai-dpo` for pairs.",
    {"type": "string", "enum": list(FORMATS)},
)
LEAVE_OUT = Query(
    "leave_out",
    "Whether rows that the format cannot hold are left out; `false` if absent.",
    {"type": "string", "enum": ["true", "false"]},
)
SPLIT = Query("split", "Which file; `train` if absent.", {"type": "string", "enum": ["train", "validation"]})


@router.post(
    "/v1/datasets",
    scope="write",
    status=201,
    errors={404: "There is no such saved filter, or no such file of test rows."},
)
def create_dataset(asked: NewDataset) -> Dataset:
    """Make a training set of completions, by a recipe.

    The completions are chosen now; the set is `ready` some seconds later. The same completions, recipe and test rows
    give the same id, and the same bytes.
    """
    return begin(asked)


@router.get("/v1/datasets", scope="read", lists=Dataset, query=PAGE)
def list_datasets() -> dict[str, Any]:
    """List training sets, the newest first."""
    return http.list_of(router, Dataset, lambda dataset: dataset, order="desc")


@router.get("/v1/datasets/<dataset_id>", scope="read")
def retrieve_dataset(dataset_id: str) -> Dataset:
    """Retrieve a training set with its card."""
    return Dataset.load(dataset_id, param="dataset_id")


@router.get("/v1/datasets/<dataset_id>/card", scope="read", errors=_NOT_READY)
def dataset_card(dataset_id: str) -> DatasetCard:
    """Retrieve the card of a training set: what it holds and what was left out of it."""
    return _card(Dataset.load(dataset_id, param="dataset_id"))


def _card(dataset: Dataset) -> DatasetCard:
    """Raises ApiError where the dataset has none: why it was not assembled is the remedy."""
    if dataset.card is None:
        reason = dataset.error.message if dataset.error else f"it is {dataset.status}."
        raise ApiError(f"The dataset has no card: {reason}", code="no_card", param="dataset_id", status=404)
    return dataset.card


@router.get(
    "/v1/datasets/<dataset_id>/content",
    scope="read",
    status=307,
    headers=LINK,
    query=(SPLIT, FORMAT, LEAVE_OUT),
    errors=_NOT_READY,
)
def dataset_content(dataset_id: str) -> Response[Any]:
    """Download the training examples as JSONL, by a link that ends after 15 minutes.

    In `format` as another trainer takes them: what it cannot hold is refused with the lines, or left out.
    """
    dataset = _ready(dataset_id)
    if dataset.dry_run:
        raise ApiError(
            "This dataset is a dry run and has no examples: make it again with dry_run false.",
            code="dry_run",
            param="dataset_id",
        )
    split = _one_of("split", SPLIT) or "train"
    name, leave_out = _one_of("format", FORMAT), _one_of("leave_out", LEAVE_OUT) == "true"
    return download(exported(dataset, split, name, leave_out=leave_out))


@router.get(
    "/v1/datasets/<dataset_id>/rows",
    scope="read",
    lists=DatasetRow,
    query=(AFTER, LIMIT, OUTCOME, RULE),
    errors=_NOT_READY,
)
def list_dataset_rows(dataset_id: str) -> dict[str, Any]:
    """List what became of each completion, in the order of their time: where it stands, or which rule dropped it.

    Each with its evidence: the completion that is kept in its place, the test row that it would have leaked.
    """
    dataset = _ready(dataset_id)
    limit = http.limit_of(router)
    rows = _fitting(_rows(dataset), _one_of("outcome", OUTCOME), http.query_of(router, "rule"))
    return http.listed(_behind(rows, http.query_of(router, "after")), limit)


def _ready(dataset_id: str) -> Dataset:
    dataset = Dataset.load(dataset_id, param="dataset_id")
    _card(dataset)
    return dataset


def _rows(dataset: Dataset) -> Iterator[dict[str, Any]]:
    lines = blobs.raw_lines(dataset.key("rows.jsonl"))
    if lines is None:
        raise ApiError(
            "This dataset is older than the evidence by row: make it again.",
            code="no_rows",
            param="dataset_id",
            status=404,
        )
    return map(orjson.loads, lines)


def _fitting(rows: Iterable[dict[str, Any]], outcome: str | None, rule: str | None) -> Iterator[dict[str, Any]]:
    for row in rows:
        rules = {evidence["rule"] for evidence in row["evidence"]}
        if outcome in {None, row["outcome"]} and (rule is None or rule in rules):
            yield row


def _behind(rows: Iterator[dict[str, Any]], after: str | None) -> Iterator[dict[str, Any]]:
    """The rows behind the one with this id; none where there is no such row."""
    if after is not None:
        next((row for row in rows if row["id"] == after), None)
    return rows


def _one_of(name: str, query: Query) -> str | None:
    given = http.query_of(router, name)
    known = query.schema["enum"]
    if given is not None and given not in known:
        raise ApiError(f"Invalid '{name}': use one of {', '.join(known)}.", code="invalid_value", param=name)
    return given


@router.get("/v1/datasets/<dataset_id>/diff/<other_id>", scope="read", errors=_NOT_READY)
def diff_datasets(dataset_id: str, other_id: str) -> DatasetDiff:
    """Compare what became of completions in two datasets: which one has alone, and which ended otherwise, and why."""
    return diff_of(_rows(_ready(dataset_id)), _rows(_ready(other_id)), dataset_id, other_id)


@router.delete(
    "/v1/datasets/<dataset_id>", scope="write", errors={409: "It is being made, or a distillation works with it."}
)
def delete_dataset(dataset_id: str) -> Deleted:
    """Delete a training set with its files. What was trained on it stays, and so does its lineage.

    A run that grades its rows is canceled.
    """
    dataset = Dataset.load(dataset_id, param="dataset_id")
    if dataset.is_open and dataset.status != "grading":
        raise Conflict("This dataset is being made: delete it when it is ready or failed.", code="in_use")
    distillation = Distillation.find(dataset.distillation_id or "")
    if distillation and distillation.status not in TERMINAL:
        raise Conflict(f"The distillation {distillation.id} works with this dataset.", code="in_use")
    refuse_while_needed(
        lambda waiting: isinstance(waiting.train, DatasetId) and waiting.train.id == dataset_id,
        f"the dataset {dataset_id}",
        "in_use",
    )
    for run in dataset.give_up("cancelled", "It was deleted."):
        bus.send(PlanRun(run_id=run.id, correlation_id=dataset.id))
    blobs.delete(blobs.keys(dataset.key("")))
    dataset.remove()
    return Deleted(id=dataset_id, object="dataset.deleted")
