"""Datasets: training sets made by a recipe, what is in them, and what became of every completion.

A dataset's id follows from the completions, the recipe and the test rows, so that who asks for the same gets the same.
"""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response

from api import retried
from api.dataset_export import exported
from api.dataset_rows import NOT_READY, card_of, one_of, ready
from api.files import LINK, download
from api.needed import refuse_while_needed
from api.new_dataset import NewDataset, begin
from distillations.dataset import CANCELLED, Dataset, DatasetCard, DatasetId
from distillations.distillation import TERMINAL, Distillation
from distillations.formats import FORMATS
from distillations.learning_curve import DONE, LearningCurve
from distillations.made_of import wake
from foundation import blobs, bus, http
from foundation.document import Deleted
from foundation.errors import ApiError, Conflict
from foundation.events import PlanRun
from foundation.routes import PAGE, Query, Routes

router = Routes("Datasets")
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
    errors={404: "There is no such saved filter, or no such file."},
)
def create_dataset(asked: NewDataset) -> Dataset:
    """Make a training set of completions, or of the lines of uploaded files, by a recipe.

    The completions are chosen now; the set is `ready` some seconds later. The same completions, recipe and test rows
    give the same id, and the same bytes.
    """
    return begin(asked, retried.object_id(router, "attempt_"))


@router.get("/v1/datasets", scope="read", lists=Dataset, query=PAGE)
def list_datasets() -> dict[str, Any]:
    """List training sets, the newest first."""
    return http.list_of(router, Dataset, lambda dataset: dataset, order="desc")


@router.get("/v1/datasets/<dataset_id>", scope="read")
def retrieve_dataset(dataset_id: str) -> Dataset:
    """Retrieve a training set with its card."""
    return Dataset.load(dataset_id, param="dataset_id")


@router.get("/v1/datasets/<dataset_id>/card", scope="read", errors=NOT_READY)
def dataset_card(dataset_id: str) -> DatasetCard:
    """Retrieve the card of a training set: what it holds and what was left out of it."""
    return card_of(Dataset.load(dataset_id, param="dataset_id"))


@router.get(
    "/v1/datasets/<dataset_id>/content",
    scope="read",
    status=307,
    headers=LINK,
    query=(SPLIT, FORMAT, LEAVE_OUT),
    errors=NOT_READY,
)
def dataset_content(dataset_id: str) -> Response[Any]:
    """Download the training examples as JSONL, by a link that ends after 15 minutes.

    In `format` as another trainer takes them: what it cannot hold is refused with the lines, or left out.
    """
    dataset = ready(dataset_id)
    if dataset.dry_run:
        raise ApiError(
            "This dataset is a dry run and has no examples: make it again with dry_run false.",
            code="dry_run",
            param="dataset_id",
        )
    split = one_of(router, "split", SPLIT) or "train"
    name, leave_out = one_of(router, "format", FORMAT), one_of(router, "leave_out", LEAVE_OUT) == "true"
    return download(exported(dataset, split, name, leave_out=leave_out))


@router.post(
    "/v1/datasets/<dataset_id>/cancel",
    scope="write",
    errors={409: "It is made or has failed, or a distillation works with it."},
)
def cancel_dataset(dataset_id: str) -> Dataset:
    """Cancel a training set that is being made, with the runs that grade its rows. Canceling it again is no error.

    It ends as `failed` with the code `cancelled`. What its runs have paid for is in the costs, and is not paid again:
    ask for the same dataset, and it goes on. A distillation that waits for it ends as `failed` with the code
    `dataset_cancelled`.
    """
    dataset = Dataset.load(dataset_id, param="dataset_id")
    if dataset.distillation_id:
        raise Conflict(
            f"This dataset is made for a distillation: POST /v1/distillations/{dataset.distillation_id}/cancel",
            code="in_use",
        )
    runs = dataset.give_up(CANCELLED, "It was canceled.")
    dataset = Dataset.load(dataset_id, param="dataset_id")
    if not dataset.is_cancelled:
        raise Conflict(f"This dataset is over: {dataset.status}.", code="already_ended")
    for run in runs:
        bus.send(PlanRun(run_id=run.id, correlation_id=dataset.id))
    wake(dataset_id)
    return dataset


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
    curve = next((curve for curve in LearningCurve.every(parent=dataset_id) if curve.status not in DONE), None)
    if curve:
        raise Conflict(f"The learning curve {curve.id} is {curve.status}: wait for its end.", code="in_use")
    for run in dataset.give_up(CANCELLED, "It was deleted."):
        bus.send(PlanRun(run_id=run.id, correlation_id=dataset.id))
    blobs.delete(blobs.keys(dataset.key("")))
    dataset.remove()
    return Deleted(id=dataset_id, object="dataset.deleted")
