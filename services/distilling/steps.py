"""The steps of a distillation: each looks at what exists and returns the transition that is due, or None.

Steps create only objects whose ids follow from the distillation, so that taking a step again changes nothing.
"""

from __future__ import annotations

from distillations import lineage
from distillations.dataset import DatasetId
from distillations.distillation import Distillation
from distillations.lineage import Node
from distillations.spent import spent_so_far
from distillations.verdict import Verdict
from distilling import freeze, gate, held, runs, training
from distilling.transition import Transition, eval_deleted, failed
from evals.data_sources import FileId
from evals.eval import Eval
from evals.files import File
from evals.run import Run
from foundation.errors import ApiError
from foundation.events import DecideVerdict, DistillationBlocked, Work
from foundation.ids import derived_id
from foundation.later import begin_again


def measure(distillation: Distillation) -> Transition | None:
    """Freeze the test rows; run teacher and baseline on them."""
    if Eval.find(distillation.eval_id) is None:
        return eval_deleted(distillation)
    try:
        frozen = freeze.freeze(distillation)
    except ApiError as error:
        return failed(distillation, error.code or "invalid_source", error.message)
    if frozen.rows == 0:
        return failed(distillation, "no_rows", "The filter in 'test' selects no completion.")
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
    asked = None if frozen.teacher_answered else distillation.teacher
    teacher = runs.start(distillation, distillation.run_id("teacher"), file.id, "teacher", asked)
    baseline_runs = {student: _start_baseline(distillation, file.id, student) for student in _students(distillation)}
    contender_runs = {model: _start_contender(distillation, file.id, model) for model in distillation.contenders}
    return Transition(
        "measuring",
        {
            "test_file_id": file.id,
            "test_rows": frozen.rows,
            "test_dropped": {"duplicates": frozen.duplicates},
            "runs": {"teacher": teacher, "baseline": distillation.run_id("baseline")},
            "baseline_runs": baseline_runs if distillation.students else {},
            "contender_runs": contender_runs,
        },
        [runs.plan(distillation, run_id) for run_id in (teacher, *baseline_runs.values(), *contender_runs.values())],
    )


def judge_readiness(distillation: Distillation) -> Transition | None:
    """Wait until all measured models are graded; then assemble the training set, or block with the gate's reasons.

    A contender whose run gave no result holds nothing up: the plan says why it has none.
    """
    if Eval.find(distillation.eval_id) is None:
        return eval_deleted(distillation)
    measured = {part: Run.find(run_id) for part, run_id in _measured(distillation).items()}
    if not all(measured.values()):
        return failed(distillation, "run_deleted", "A run of the teacher or of the baseline was deleted.")
    contenders = {model: Run.find(run_id) for model, run_id in distillation.contender_runs.items()}
    if not all(run.ended for run in (*measured.values(), *contenders.values()) if run):
        return None
    for part, run in measured.items():
        if run and run.status != "completed":
            return failed(distillation, "run_failed", runs.why_none(part, run))
    teacher, *baselines = [run for run in measured.values() if run]
    plan = gate.judge(distillation, teacher, gate.strongest(baselines), contenders)
    if plan.reasons:
        return Transition("blocked", {"plan": plan}, [DistillationBlocked(distillation_id=distillation.id)])
    return training.assemble(distillation, plan)


def _measured(distillation: Distillation) -> dict[str, str]:
    """The runs before money is spent, by part, the teacher's first: each student is a baseline."""
    several = {f"baseline {student}": run_id for student, run_id in distillation.baseline_runs.items()}
    return {"teacher": distillation.runs["teacher"], **(several or {"baseline": distillation.runs["baseline"]})}


def await_approval(distillation: Distillation) -> Transition | None:
    """Wait until somebody approves the blocked distillation; then assemble the training set."""
    if distillation.approved_at is None or distillation.plan is None:
        return None
    if Eval.find(distillation.eval_id) is None:
        return eval_deleted(distillation)
    held.approve(distillation)
    return training.assemble(
        distillation, distillation.plan.model_copy(update={"approved_at": distillation.approved_at})
    )


def await_evaluation(distillation: Distillation) -> Transition | None:
    """Wait until the distilled model's run is graded; then have the verdict decided."""
    run = Run.find(distillation.runs["distilled"])
    if run is None:
        return failed(distillation, "run_deleted", "The run of the distilled model was deleted.")
    if not run.ended:
        return None
    if run.status != "completed":
        return failed(distillation, "run_failed", runs.why_none("distilled", run))
    return Transition("deciding", {}, [DecideVerdict(distillation_id=distillation.id)])


def await_verdict(distillation: Distillation) -> Transition | None:
    """Wait until there is a verdict and people have been notified of it."""
    verdict = Verdict.find(distillation.verdict_id)
    if verdict is None or verdict.notified_at is None:
        return None
    return Transition("completed", {"verdict": verdict, "costs": spent_so_far(distillation)}, [])


def cancel(distillation: Distillation) -> Transition:
    """End as cancelled: open runs grade no further chunk and are planned again to report it; its jobs are stopped."""
    # Not the ids that are recorded: after a crash there may be runs that no step has recorded yet.
    found = [run for run_id in distillation.run_ids if (run := Run.find(run_id))]
    stopped = [run.id for run in found if run.cancel() or run.status == "canceled"]
    planned = (runs.plan(distillation, run_id) for run_id in stopped)
    return Transition("cancelled", {}, [*training.stop(distillation), *planned, *training.stop_dataset(distillation)])


def fail(distillation: Distillation, code: str, message: str) -> Transition:
    """End as failed for a reason outside of the steps; jobs that may be under way are stopped."""
    ending = failed(distillation, code, message)
    return ending._replace(
        messages=[*ending.messages, *training.stop(distillation), *training.stop_dataset(distillation)]
    )


def owed(distillation: Distillation) -> list[Work]:
    """The messages that the status waits for, beside runs, which are resumed by themselves. They may all be lost."""
    match distillation.status:
        case "assembling" | "training":
            return training.owed(distillation)
        case "deciding":
            return [DecideVerdict(distillation_id=distillation.id)]
        case "cancelled" | "failed":
            for job_id in distillation.job_ids:
                begin_again(job_id)
            return training.stop(distillation)
        case _:
            return []


def _link(distillation: Distillation, frozen: File) -> None:
    """Record what a distillation is made of, and that its test rows are its own."""
    node = Node("distillation", distillation.id)
    origins = [Node("eval", distillation.eval_id)]
    origins += [Node("file", distillation.test.id)] if isinstance(distillation.test, FileId) else []
    origins += [Node("dataset", distillation.train.id)] if isinstance(distillation.train, DatasetId) else []
    lineage.link([(node, Node("file", frozen.id)), *((origin, node) for origin in origins)])


def _students(distillation: Distillation) -> list[str]:
    return distillation.students or [distillation.student]


def _start_baseline(distillation: Distillation, file_id: str, student: str) -> str:
    part = f"baseline {student}" if distillation.students else "baseline"
    return runs.start(distillation, distillation.baseline_run_id(student), file_id, part, student)


def _start_contender(distillation: Distillation, file_id: str, model: str) -> str:
    return runs.start(distillation, distillation.contender_run_id(model), file_id, f"contender {model}", model)
