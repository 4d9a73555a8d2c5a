"""Resume what stands still: what has lost its message, or whose functions were stopped too often.

In: the lists of what is open: runs, distillations, fine-tuning jobs, datasets, learning curves, rollouts. At each sweep
their progress is compared with what the last sweep saw. Where there is none for an hour, what the state waits for is
sent again; then after two hours, four, and so on. Doing work again changes nothing, so only time is lost where the
message was merely late. Where there is none for two days beyond the patience for a provider, the object ends as failed.
A training at work and an approval may take any time; the start of a job ends by itself, and a rollout goes on as ever.
The runs of a dataset that has failed are canceled, and their end is announced: whoever ended it may have been killed
before that.
"""

from __future__ import annotations

from collections.abc import Callable

from aliases.rolling_out import OPEN_ROLLOUTS
from distillations.dataset import OPEN_DATASETS, Dataset
from distillations.distillation import OPEN_DISTILLATIONS, TERMINAL, Distillation
from distillations.job import OPEN_JOBS, Job
from distillations.learning_curve import DONE, OPEN_CURVES, LearningCurve
from distillations.made_of import owner_of
from evals.run import OPEN_RUNS, Run
from foundation import bus, table
from foundation.curve_messages import AdvanceLearningCurve
from foundation.events import AdvanceDistillation, AssembleDataset, PlanRun, StartJob, StepFailed
from foundation.ids import now
from foundation.later import begin_again, patience_over
from foundation.rollout_messages import AdvanceRollout
from retention.failures import Failures
from rollouts.rollout import Rollout

_HOUR_S = 3600
_MOST_S = 2 * 86_400
_ENDLESS = {"blocked", "measuring", "training", "choosing", "evaluating", *TERMINAL}
"""What has no bound of its own: it waits for people, for runs, or for a job that is watched. Ends are only tidied."""
_STALLED = "It made no progress for days, and doing its work again did not help: see the dead letters and the log."


def resume(goes_on: Callable[[], bool], failures: Failures) -> int:
    """Look at what is open as long as `goes_on()` is true. Returns how many objects were resumed or ended."""
    resumed = 0
    looks = {
        OPEN_RUNS: _look_at_run,
        OPEN_DISTILLATIONS: _look_at_distillation,
        OPEN_JOBS: _look_at_job,
        OPEN_DATASETS: _look_at_dataset,
        OPEN_CURVES: _look_at_curve,
        OPEN_ROLLOUTS: _look_at_rollout,
    }
    for partition, look in looks.items():
        for entry in list(table.query(partition)):
            if not goes_on():
                return resumed
            with failures.kept(f"the open {entry['sk']}"):
                resumed += look(entry)
    return resumed


def _look_at_run(entry: table.Row) -> bool:
    run = Run.find(entry["sk"])
    if run is None or run.ended:
        if run and run.status != "completed":
            # Whoever canceled or failed it may have been killed before saying so: only what plans it books its costs.
            bus.send(PlanRun(run_id=run.id))
        # A young entry stays: its run may be about to be written.
        if _stood_s(entry, "ended") >= _HOUR_S:
            table.delete(entry["pk"], entry["sk"])
        return False
    graded = sum(1 for _ in table.query(run.id, prefix="CHUNK#"))
    stood_s = _stood_s(entry, f"{run.status} {graded}")
    if _is_over(stood_s):
        run.give_up("stalled", _STALLED)
    elif not _is_due(entry, stood_s):
        return False
    begin_again(run.id)
    bus.send(PlanRun(run_id=run.id))
    return True


def _look_at_distillation(entry: table.Row) -> bool:
    distillation = Distillation.find(entry["sk"])
    if distillation is None:
        if _stood_s(entry, "gone") >= _HOUR_S:
            table.delete(entry["pk"], entry["sk"])
        return False
    dataset = _made_for(distillation) if distillation.status == "assembling" else None
    made = f" {dataset.status} {len(dataset.runs)}" if dataset else ""
    stood_s = _stood_s(entry, f"{distillation.status} {len(distillation.history)}{made}")
    # A set that waits for grades ends with their run, which has bounds of its own.
    is_graded = dataset is not None and dataset.status == "grading"
    if _is_over(stood_s) and distillation.status not in _ENDLESS and not is_graded:
        failed = StepFailed(
            distillation_id=distillation.id, during=distillation.status, code="stalled", message=_STALLED
        )
        bus.send(failed)
        return True
    if not _is_due(entry, stood_s):
        return False
    bus.send(AdvanceDistillation(distillation_id=distillation.id, resend=True))
    return True


def _made_for(distillation: Distillation) -> Dataset | None:
    """The set that a distillation waits for: its own, or before that the one that its own is made of."""
    return Dataset.find(distillation.dataset_id or "") or owner_of(distillation)


def _look_at_job(entry: table.Row) -> bool:
    """Start a job again that was asked for by itself and has not begun. The others have a distillation or a watcher."""
    job = Job.find(entry["sk"])
    if job is None or job.ended or job.provider_job_id or job.distillation_id:
        return False
    if not _is_due(entry, _stood_s(entry, job.status)):
        return False
    begin_again(job.id)
    bus.send(StartJob(job_id=job.id, correlation_id=job.id))
    return True


def _look_at_dataset(entry: table.Row) -> bool:
    dataset = Dataset.find(entry["sk"])
    if dataset is None or not dataset.is_open:
        if dataset and dataset.status == "failed":
            # Whoever ended it may have been killed before its runs were canceled, which would go on to pay.
            _plan(dataset.cancel_runs(), dataset)
        # A young entry stays: its dataset may be about to be written.
        if _stood_s(entry, "ended") >= _HOUR_S:
            table.delete(entry["pk"], entry["sk"])
        return False
    stood_s = _stood_s(entry, f"{dataset.status} {len(dataset.runs)}")
    # One that waits for grades ends with their run, which has bounds of its own.
    if _is_over(stood_s) and dataset.status != "grading":
        _plan(dataset.give_up("assembly_failed", _STALLED), dataset)
    elif not _is_due(entry, stood_s):
        return False
    # Of one that has ended, whoever makes it deletes what lies there of its parts.
    bus.send(AssembleDataset(distillation_id="", dataset_id=dataset.id, correlation_id=dataset.id))
    return True


def _plan(ended: list[Run], dataset: Dataset) -> None:
    """Have the end announced of runs that were canceled."""
    bus.send_all(PlanRun(run_id=run.id, correlation_id=dataset.id) for run in ended)


def _look_at_curve(entry: table.Row) -> bool:
    """Have a curve go on that may have missed the end of a job or of a run, such as one that was deleted."""
    curve = LearningCurve.find(entry["sk"])
    if curve is None or curve.status in DONE:
        # A young entry stays: its curve may be about to be written.
        if _stood_s(entry, "ended") >= _HOUR_S:
            table.delete(entry["pk"], entry["sk"])
        return False
    if not _is_due(entry, _stood_s(entry, curve.status)):
        return False
    bus.send(AdvanceLearningCurve(learning_curve_id=curve.id, correlation_id=curve.id))
    return True


def _look_at_rollout(entry: table.Row) -> bool:
    """Have a rollout go on, and its rules switched on: a deploy, or somebody, may have switched them off."""
    rollout = Rollout.find(entry["rollout_id"])
    if rollout is None or rollout.is_settled:
        return False
    bus.send(AdvanceRollout(rollout_id=rollout.id, resend=True))
    return True


def _stood_s(entry: table.Row, progress: str) -> int:
    """For how many seconds this has been its progress. Notes a progress that is new."""
    if entry.get("progress") == progress:
        return now() - int(entry["since"])
    table.update(entry["pk"], entry["sk"], {"progress": progress, "since": now(), "resumed": 0})
    return 0


def _is_over(stood_s: int) -> bool:
    return patience_over(now() - stood_s + _MOST_S)


def _is_due(entry: table.Row, stood_s: int) -> bool:
    """Whether to resume it now: after one hour, two, four and so on. Notes that it was."""
    resumed = int(entry.get("resumed") or 0)
    if stood_s < _HOUR_S * 2**resumed:
        return False
    table.update(entry["pk"], entry["sk"], {"resumed": resumed + 1})
    return True
