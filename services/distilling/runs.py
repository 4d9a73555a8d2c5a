"""The runs of a distillation: each is created once, under an id that follows from the distillation and its part."""

from __future__ import annotations

from distillations import lineage
from distillations.distillation import Distillation
from distillations.lineage import Node
from evals.data_sources import CompletionsSource, FileId, ItemReference
from evals.eval import Eval
from evals.run import Run, new_run
from foundation.events import PlanRun


def start(
    distillation: Distillation,
    run_id: str,
    file_id: str,
    part: str,
    model: str | None,
    *,
    trained: bool = False,
    sure: bool = False,
) -> str:
    """Create the run of a part of the distillation; without a model the stored answers of the teacher are graded.

    A `trained` model is asked with the prompt of the recipe, where it has one; all others with the rows' own. With
    `sure` it is asked for log-probabilities, which tell how sure it was, as far as its provider gives them. Returns its
    id. It begins once it is planned.
    """
    source = CompletionsSource(
        type="completions",
        source=FileId(type="file_id", id=file_id),
        model=model,
        sampling_params={"logprobs": True} if sure else None,
        input_messages=ItemReference(type="item_reference", item_reference="item.input") if model else None,
        system_prompt=distillation.used_recipe.student_prompt if trained else None,
    )
    run = new_run(
        run_id,
        Eval.load(distillation.eval_id),
        name=f"{distillation.name}: {part}",
        data_source=source,
        distillation_id=distillation.id,
    )
    if not model:
        run.model = distillation.teacher
    run.create()
    node = Node("run", run.id)
    lineage.link([(Node("file", file_id), node), (Node("distillation", distillation.id), node)])
    return run_id


def plan(distillation: Distillation, run_id: str) -> PlanRun:
    """What has a run begin."""
    return PlanRun(run_id=run_id, correlation_id=distillation.id)


def why_none(part: str, run: Run) -> str:
    """Why a run of the distillation gave no result."""
    reason = (run.error or {}).get("message", f"it ended as {run.status}")
    return f"The run of the {part}, {run.id}, gave no result: {reason}"
