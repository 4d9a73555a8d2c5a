"""Learning curves of a dataset: ask for one, look at them. What becomes of a curve is `distilling`'s to write."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from api.preference import refuse_beta, refuse_method
from api.within_cap import refuse_over_cap
from distillations.dataset import LEAST_EXAMPLES, Dataset
from distillations.estimates import training_cost_usd
from distillations.hyperparameters import OpenAIHyperparameters
from distillations.learning_curve import DONE, SHARES, LearningCurve
from distillations.trainers import Hyperparameters, TrainerName, entry_of
from evals.eval import Eval
from foundation import blobs, bus, http
from foundation.bounds import Name
from foundation.curve_messages import AdvanceLearningCurve
from foundation.document import Body
from foundation.errors import ApiError
from foundation.ids import derived_id, now
from foundation.routes import PAGE, Routes
from providers.required_model import require_model

router = Routes("Learning curves")
_LEAST = round(LEAST_EXAMPLES / SHARES[0])
_MOST = 20_000
_NOTHING = {404: "There is no such dataset, eval or student."}


class NewLearningCurve(Body):
    """Which student learns, and by what it is graded."""

    eval_id: Name
    student: Name = Field(min_length=1)
    """A cheap one: it is trained four times."""
    trainer: TrainerName = "default"
    """One whose models cost nothing while nobody asks them."""
    hyperparameters: Hyperparameters = Field(default_factory=OpenAIHyperparameters)
    """For the trainer."""
    seed: int = Field(default=42, ge=0, lt=1 << 31)
    """Decides which examples are in the smaller parts."""
    max_cost_usd: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """What the trainings may come to together, in US dollars; null sets no limit."""


@router.post(
    "/v1/datasets/<dataset_id>/learning_curves", scope="write", status=201, answer=LearningCurve, errors=_NOTHING
)
def create_learning_curve(dataset_id: str, asked: NewLearningCurve) -> LearningCurve:
    """Find out what more examples would bring: a cheap student learns from an eighth, a quarter, half and all of them.

    Each is graded on the dataset's validation rows, by the eval. Asking for the same again answers with the same curve,
    and has it go on where it stands still.
    """
    dataset = Dataset.load(dataset_id, param="dataset_id")
    curve = LearningCurve(
        id=derived_id("curve_", dataset_id, asked.model_dump_json()),
        created_at=now(),
        dataset_id=dataset_id,
        hyperparameters=asked.hyperparameters.given(),
        **asked.model_dump(exclude={"hyperparameters"}),
    )
    if LearningCurve.find(curve.id) is None:
        refuse_over_cap()
        _refuse_what_cannot_work(asked, dataset)
        curve.estimated_cost_usd = _estimate(asked, dataset)
        curve.create()
    curve = LearningCurve.load(curve.id)
    if curve.status not in DONE:
        bus.send(AdvanceLearningCurve(learning_curve_id=curve.id, correlation_id=curve.id))
    return curve


@router.get("/v1/datasets/<dataset_id>/learning_curves", scope="read", lists=LearningCurve, query=PAGE)
def list_learning_curves(dataset_id: str) -> dict[str, Any]:
    """List the learning curves of a dataset, the newest first."""
    Dataset.load(dataset_id, param="dataset_id")
    return http.list_of(router, LearningCurve, lambda curve: curve, order="desc", parent=dataset_id)


def _refuse_what_cannot_work(asked: NewLearningCurve, dataset: Dataset) -> None:
    """Raises ApiError for the first thing that cannot work."""
    if dataset.card is None or dataset.dry_run:
        raise _refusal("dataset_id", "not_ready", "it has no examples: it is a dry run, or not ready")
    if not _LEAST <= dataset.card.train_rows <= _MOST:
        few = f"it has {dataset.card.train_rows} examples to train on, and a curve is drawn of {_LEAST} to {_MOST}"
        raise _refusal("dataset_id", "wrong_size", few)
    if not dataset.card.validation_rows:
        raise _refusal("dataset_id", "no_validation_rows", "no example of it validates, so nothing could be graded")
    if entry_of(asked.trainer).idle != "nothing":
        raise _refusal("trainer", "unsupported", "its models cost while nobody asks them, and there would be four")
    method = dataset.card.recipe.method
    refuse_method(method, asked.trainer, param="trainer")
    refuse_beta(method, asked.hyperparameters.given())
    Eval.load(asked.eval_id, param="eval_id")
    require_model(asked.student, param="student")
    cost = _estimate(asked, dataset)
    if asked.max_cost_usd is not None and cost is None:
        unknown = f"no price is known for training '{asked.student}'. Leave it out, or add the price to Prices"
        raise _refusal("max_cost_usd", "no_price", unknown)
    if asked.max_cost_usd is not None and cost is not None and cost > asked.max_cost_usd:
        raise _refusal("max_cost_usd", "over_budget", f"the trainings are estimated at ${cost:.2f}")


def _refusal(param: str, code: str, why: str) -> ApiError:
    return ApiError(f"Invalid '{param}': {why}.", code=code, param=param)


def _estimate(asked: NewLearningCurve, dataset: Dataset) -> float | None:
    """What the four trainings cost together; None where no price is known."""
    size = round(blobs.size(dataset.key("train.jsonl")) * sum(SHARES))
    epochs = entry_of(asked.trainer).hyperparameters.DEFAULT_EPOCHS
    return training_cost_usd(asked.student, size, asked.hyperparameters.given(), epochs)
