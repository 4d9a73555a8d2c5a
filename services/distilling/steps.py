"""The steps of a distillation: each looks at what exists and returns the transition that is due, or None.

Steps create only objects whose ids follow from the distillation, so that taking a step again changes nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from distillations import lineage
from distillations.dataset import Dataset, DatasetId
from distillations.distillation import Distillation, Status
from distillations.failure import Failure
from distillations.job import Job
from distillations.lineage import Node
from distillations.plan import Plan
from distillations.roles import Role
from distillations.verdict import Verdict
from distilling import costs, freeze, gate, held
from evals.data_sources import CompletionsSource, FileId, ItemReference
from evals.eval import Eval
from evals.files import File
from evals.run import Run, new_run
from foundation.errors import ApiError
from foundation.events import (
    AssembleDataset,
    CancelJob,
    DecideVerdict,
    DistillationBlocked,
    DistillationFailed,
    PlanRun,
    StartJob,
    Work,
)
from foundation.ids import derived_id
from foundation.later import begin_again

_MEASURED: tuple[Role, ...] = ("teacher", "baseline")
"""What runs before money is spent."""


class Transition(NamedTuple):
    """The next status, what changes with it, and what is sent after it."""

    to: Status
    changes: dict[str, Any]
    messages: list[Work]


def measure(distillation: Distillation) -> Transition | None:
    """Freeze the test rows; run teacher and baseline on them."""
    if Eval.find(distillation.eval_id) is None:
        return _eval_deleted(distillation)
    try:
        frozen = freeze.freeze(distillation)
    except ApiError as error:
        return _failed(distillation, error.code or "invalid_source", error.message)
    if frozen.rows == 0:
        return _failed(distillation, "no_rows", "The filter in 'test' selects no completion.")
    file = File(
        id=derived_id("file-", distillation.id, "test"),
        created_at=distillation.created_at,
        bytes=frozen.bytes,
        filename=f"{distillation.id}-test.jsonl",
        purpose="evals",
        key=distillation.rows_key,
    )
    file.create()
    _link(distillation, file)
    lineage.link_completions(frozen.completion_ids, Node("file", file.id))
    _start_run(distillation, file.id, "teacher", None if frozen.teacher_answered else distillation.teacher)
    _start_run(distillation, file.id, "baseline", distillation.student)
    contender_runs = {model: _start_contender(distillation, file.id, model) for model in distillation.contenders}
    runs = {role: distillation.run_id(role) for role in _MEASURED}
    return Transition(
        "measuring",
        {
            "test_file_id": file.id,
            "test_rows": frozen.rows,
            "test_dropped": {"duplicates": frozen.duplicates},
            "runs": runs,
            "contender_runs": contender_runs,
        },
        [_plan(distillation, run_id) for run_id in (*runs.values(), *contender_runs.values())],
    )


def judge_readiness(distillation: Distillation) -> Transition | None:
    """Wait until all measured models are graded; then assemble the training set, or block with the gate's reasons.

    A contender whose run gave no result holds nothing up: the plan says why it has none.
    """
    if Eval.find(distillation.eval_id) is None:
        return _eval_deleted(distillation)
    runs = {role: run for role in _MEASURED if (run := Run.find(distillation.runs[role]))}
    if len(runs) < len(_MEASURED):
        return _failed(distillation, "run_deleted", "A run of the teacher or of the baseline was deleted.")
    contenders = {model: Run.find(run_id) for model, run_id in distillation.contender_runs.items()}
    if not all(run.ended for run in (*runs.values(), *contenders.values()) if run):
        return None
    for role, run in runs.items():
        if run.status != "completed":
            return _failed(distillation, "run_failed", _run_message(role, run))
    plan = gate.judge(distillation, runs["teacher"], runs["baseline"], contenders)
    if plan.reasons:
        return Transition("blocked", {"plan": plan}, [DistillationBlocked(distillation_id=distillation.id)])
    return _assemble(distillation, plan)


def await_approval(distillation: Distillation) -> Transition | None:
    """Wait until somebody approves the blocked distillation; then assemble the training set."""
    if distillation.approved_at is None or distillation.plan is None:
        return None
    if Eval.find(distillation.eval_id) is None:
        return _eval_deleted(distillation)
    held.approve(distillation)
    return _assemble(distillation, distillation.plan.model_copy(update={"approved_at": distillation.approved_at}))


def await_job(distillation: Distillation) -> Transition | None:
    """Wait until the dataset is assembled and its job has started; fail where one of them failed.

    A dataset with leaks, and a job that would cost more than it may, are held and block the distillation.
    """
    dataset = Dataset.find(distillation.dataset_id or "")
    if dataset and dataset.error:
        return _failed(distillation, dataset.error.code, dataset.error.message)
    job = Job.find(distillation.job_id or "")
    if job and job.status == "failed":
        return _job_failed(distillation, job)
    if job and job.provider_job_id:
        return Transition("training", {}, [])
    blocked = held.changes_by(distillation.plan, dataset, job)
    return Transition("blocked", blocked, [DistillationBlocked(distillation_id=distillation.id)]) if blocked else None


def await_model(distillation: Distillation) -> Transition | None:
    """Wait until the job has ended; then run the distilled model, or fail where there is none."""
    job = Job.load(distillation.job_id or "")
    if not job.ended:
        return None
    if job.status != "succeeded" or not job.fine_tuned_model:
        return _job_failed(distillation, job)
    if Eval.find(distillation.eval_id) is None:
        return _eval_deleted(distillation)
    _start_run(distillation, distillation.test_file_id or "", "distilled", job.fine_tuned_model)
    run_id = distillation.run_id("distilled")
    lineage.link([(Node("model", job.fine_tuned_model), Node("run", run_id))])
    return Transition(
        "evaluating",
        {
            "model": job.fine_tuned_model,
            "costs": costs.of(distillation),
            "runs": {**distillation.runs, "distilled": run_id},
        },
        [_plan(distillation, run_id)],
    )


def await_evaluation(distillation: Distillation) -> Transition | None:
    """Wait until the distilled model's run is graded; then have the verdict decided."""
    run = Run.find(distillation.runs["distilled"])
    if run is None:
        return _failed(distillation, "run_deleted", "The run of the distilled model was deleted.")
    if not run.ended:
        return None
    if run.status != "completed":
        return _failed(distillation, "run_failed", _run_message("distilled", run))
    return Transition("deciding", {}, [DecideVerdict(distillation_id=distillation.id)])


def await_verdict(distillation: Distillation) -> Transition | None:
    """Wait until there is a verdict and people have been notified of it."""
    verdict = Verdict.find(distillation.verdict_id)
    if verdict is None or verdict.notified_at is None:
        return None
    return Transition("completed", {"verdict": verdict, "costs": costs.of(distillation)}, [])


def cancel(distillation: Distillation) -> Transition:
    """End as cancelled: open runs grade no further chunk and are planned once more to report it; the job is stopped."""
    # Not the ids that are recorded: after a crash there may be runs that no step has recorded yet.
    runs = [run for run_id in distillation.run_ids if (run := Run.find(run_id))]
    stopped = [run.id for run in runs if run.cancel() or run.status == "canceled"]
    plans = [_plan(distillation, run_id) for run_id in stopped]
    return Transition("cancelled", {}, [*_stop_job(distillation), *plans, *_stop_dataset(distillation)])


def fail(distillation: Distillation, code: str, message: str) -> Transition:
    """End as failed for a reason outside of the steps; a job that may be under way is stopped."""
    failed = _failed(distillation, code, message)
    return failed._replace(messages=[*failed.messages, *_stop_job(distillation), *_stop_dataset(distillation)])


def owed(distillation: Distillation) -> list[Work]:
    """The messages that the status waits for, beside runs, which are resumed by themselves. They may all be lost."""
    match distillation.status:
        case "assembling" | "training":
            dataset = Dataset.find(distillation.dataset_id or "")
            if dataset is None or dataset.is_open:
                return [_assembly(distillation, distillation.dataset_id or "")]
            begin_again(dataset.id)
            # A job that has started is not started again: this makes sure that it is watched.
            return [StartJob(dataset_id=dataset.id)] if dataset.status == "ready" and not dataset.held else []
        case "deciding":
            return [DecideVerdict(distillation_id=distillation.id)]
        case "cancelled" | "failed":
            begin_again(distillation.job_id or "")
            return _stop_job(distillation)
        case _:
            return []


def _stop_job(distillation: Distillation) -> list[Work]:
    job_id = distillation.job_id
    return [CancelJob(job_id=job_id, correlation_id=distillation.id)] if job_id else []


def _stop_dataset(distillation: Distillation) -> list[Work]:
    """Let the training set end that is being made; what announces the end of the run that graded its rows."""
    dataset = Dataset.find(distillation.dataset_id) if distillation.dataset_id else None
    runs = dataset.give_up("cancelled", "Its distillation has ended.") if dataset else []
    return [_plan(distillation, run.id) for run in runs]


def _assemble(distillation: Distillation, plan: Plan) -> Transition:
    made = derived_id("dataset_", distillation.id, distillation.training_source.model_dump_json())
    dataset_id = distillation.dataset_id or made
    job_id = derived_id("ftjob-", dataset_id)
    lineage.link([(Node("distillation", distillation.id), Node("dataset", dataset_id))])
    changes = {"plan": plan, "dataset_id": dataset_id, "job_id": job_id}
    return Transition("assembling", changes, [_assembly(distillation, dataset_id)])


def _assembly(distillation: Distillation, dataset_id: str) -> AssembleDataset:
    return AssembleDataset(distillation_id=distillation.id, dataset_id=dataset_id)


def _link(distillation: Distillation, frozen: File) -> None:
    """Record what a distillation is made of, and that its test rows are its own."""
    node = Node("distillation", distillation.id)
    origins = [Node("eval", distillation.eval_id)]
    origins += [Node("file", distillation.test.id)] if isinstance(distillation.test, FileId) else []
    origins += [Node("dataset", distillation.train.id)] if isinstance(distillation.train, DatasetId) else []
    lineage.link([(node, Node("file", frozen.id)), *((origin, node) for origin in origins)])


def _start_contender(distillation: Distillation, file_id: str, model: str) -> str:
    run_id = distillation.contender_run_id(model)
    _create_run(distillation, run_id, file_id, f"contender {model}", model)
    return run_id


def _start_run(distillation: Distillation, file_id: str, role: Role, model: str | None) -> None:
    _create_run(distillation, distillation.run_id(role), file_id, role, model)


def _create_run(distillation: Distillation, run_id: str, file_id: str, part: str, model: str | None) -> None:
    """Create the run of a part of the distillation; without a model the stored answers of the teacher are graded."""
    source = CompletionsSource(
        type="completions",
        source=FileId(type="file_id", id=file_id),
        model=model,
        input_messages=ItemReference(type="item_reference", item_reference="item.input") if model else None,
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


def _plan(distillation: Distillation, run_id: str) -> PlanRun:
    return PlanRun(run_id=run_id, correlation_id=distillation.id)


def _eval_deleted(distillation: Distillation) -> Transition:
    return _failed(distillation, "eval_deleted", f"The eval {distillation.eval_id} was deleted.")


def _job_failed(distillation: Distillation, job: Job) -> Transition:
    message = job.error.message if job.error else f"The fine-tuning job ended as {job.status}."
    return _failed(distillation, "job_failed", f"The fine-tuning job {job.id} failed: {message}")


def _run_message(role: Role, run: Run) -> str:
    reason = (run.error or {}).get("message", f"it ended as {run.status}")
    return f"The run of the {role}, {run.id}, gave no result: {reason}"


def _failed(distillation: Distillation, code: str, message: str) -> Transition:
    changes = {"error": Failure(code=code, message=message)}
    return Transition("failed", changes, [DistillationFailed(distillation_id=distillation.id)])
