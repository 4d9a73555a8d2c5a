"""Have the rows of a step graded by a run of an eval, through the same queues as any other run.

In: the rows that a step needs grades of. Out: their grades, from the object beside the dataset, from the dataset that a
distillation trains on, or from the run once it has ended. Before that the run is begun, which changes nothing where it
was begun before, and the pass ends by Waiting: the end of the run has the dataset made again. ApiError where the run
ended without grades.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from assembly import results
from assembly.augmenting import (
    answers_name,
    inputs_name,
    read_answer,
    read_input,
    synthetic_id,
    to_answer,
    to_write,
)
from assembly.begin import begin, open_runs, run_id_of
from assembly.budget import refuse_over_cap
from assembly.criteria import criterion_of, eval_of
from assembly.grading import Answered, Brief, Ended, Grades, Waiting, Written
from assembly.making import Making
from assembly.results import Read
from assembly.row import Row
from assembly.wanted import Wanted, names_of, to_grade, to_repeat
from completions.completion import Completion
from distillations.dataset import Dataset, Status
from distillations.grades import DatasetRun
from distillations.grading_steps import Augment, Consensus, Quality
from evals.run import Run
from foundation import bus
from foundation.errors import ApiError
from foundation.events import PlanRun
from providers.prices import cost_nanodollars


def wait_for_runs(dataset: Dataset) -> None:
    """Raise Waiting while a run of the dataset is open. One without a plan is asked for it: the message may be lost."""
    runs = list(open_runs(dataset))
    plan_again((run for run in runs if run.status == "queued"), dataset.id)
    if runs:
        raise Waiting


def plan_again(runs: Iterable[Run], correlation_id: str) -> None:
    """Have runs planned; of canceled ones that announces the end."""
    bus.send_all(PlanRun(run_id=run.id, correlation_id=correlation_id) for run in runs)


class StoredRuns:
    """The runs of one dataset."""

    def __init__(self, dataset: Dataset, making: Making, teacher: str | None) -> None:
        self._dataset = dataset
        self._making = making
        self._teacher = teacher

    def runs(self) -> list[DatasetRun]:
        """The runs that the steps needed, in order."""
        return self._dataset.runs

    def grades(self, number: int, settings: Quality, rows: Sequence[Row]) -> Grades | None:
        """The grades of the rows. Raises Waiting until there are some, and ApiError where there will be none."""
        if not rows:
            return None

        def read() -> Read:
            return results.graded(criterion_of(eval_of(settings), settings.criterion))

        want = partial(to_grade, number, settings, rows, self._making, self._dataset.runs)
        return self._found(names_of(number, settings), want, read, graded=True)[0]

    def repetitions(self, number: int, settings: Consensus, rows: Sequence[Row]) -> list[Grades] | None:
        """Whether the teacher, asked again, answers each row as before, one of each time that it was asked."""
        if not rows:
            return None
        read = results.graded if settings.is_judged else results.compared
        want = partial(to_repeat, number, settings, rows, self._making, self._dataset.runs, teacher=self._teacher)
        return self._found(names_of(number, settings), want, read, graded=True)

    def inputs(self, number: int, settings: Augment, briefs: Sequence[Brief]) -> list[Written] | None:
        """The inputs that were written by these briefs. Raises Waiting until they are."""
        want = partial(to_write, number, settings, briefs, self._making, self._dataset.runs, teacher=self._teacher)
        self._found([inputs_name(number, settings)], want, read_input)
        grades = self._stored(inputs_name(number, settings))
        known = [brief for brief in briefs if brief.id in grades]
        return [Written(brief, grades.fields(brief.id)["text"], grades[brief.id]) for brief in known]

    def answers(self, number: int, settings: Augment, written: Sequence[Written]) -> list[Answered]:
        """The answers to written inputs as completions. Raises Waiting until they are given."""
        want = partial(to_answer, number, settings, written, self._making, self._dataset.runs, teacher=self._teacher)
        self._found([answers_name(number, settings)], want, read_answer)
        grades = self._stored(answers_name(number, settings))
        by_id = {synthetic_id(self._dataset.id, one): one for one in written}
        return [
            Answered(one, Completion.of(grades.fields(row)["completion"], at=self._dataset.created_at), grades[row])
            for row, one in by_id.items()
            if row in grades and not grades[row].error
        ]

    def _stored(self, name: str) -> results.StoredGrades:
        return results.stored(self._dataset, name) or results.StoredGrades(())

    def _found(
        self, names: Sequence[str], want: Callable[[], Wanted], read: Callable[[], Read], *, graded: bool = False
    ) -> list[Grades]:
        """What the runs of these names found; without them they are begun, and the pass ends.

        Where rows are `graded`, what another dataset has paid for the same rows is taken over.
        """
        known = {run.name for run in self._dataset.runs}
        missing = [name for name in names if name not in known]
        if missing and not (graded and self._takes_over(missing)):
            self._begin(missing, want())
            raise Waiting
        return [self._taken(name, read) for name in names]

    def _takes_over(self, names: Sequence[str]) -> bool:
        """Take over what the dataset has paid for on which a distillation trains by the same steps.

        False where it has not these grades. A row that came to the step only now has none.
        """
        owner = self._making.owner
        if owner is None or owner.recipe is None or owner.recipe.steps != self._making.recipe.steps:
            return False
        runs = [run for run in owner.runs if run.name in names]
        if len(runs) < len(names) or not all(results.copy(owner, self._dataset, name) for name in names):
            return False
        free = {"estimated_usd": 0.0, "cost_usd": 0.0}
        self._note([*self._dataset.runs, *(run.model_copy(update=free) for run in runs)], "making")
        return True

    def _taken(self, name: str, read: Callable[[], Read]) -> Grades:
        begun = next(run for run in self._dataset.runs if run.name == name)
        grades = results.stored(self._dataset, name)
        if grades is None:
            begun = self._end(begun, read())
            grades = self._stored(name)
        return Grades(grades, begun)

    def _end(self, begun: DatasetRun, read: Read) -> DatasetRun:
        """Store what a run that has ended found, and what it cost."""
        run = Run.find(begun.run_id or "")
        if run and not run.ended:
            raise Waiting
        if run is None or run.status != "completed":
            raise _without_grades(begun, run)
        cost = cost_nanodollars(run.per_model_usage)
        ended = begun.model_copy(update={"cost_usd": None if cost is None else cost / 1e9})
        runs = [ended if known.name == ended.name else known for known in self._dataset.runs]
        self._note(runs, "making")
        results.store(self._dataset, begun.name, run, read)
        return ended

    def _begin(self, names: Sequence[str], wanted: Wanted) -> None:
        """Begin the runs of these names. Others of the step were graded when the dataset was asked for before."""
        ids = self._ids_of(names)
        if not all(Run.find(run_id) for run_id in ids.values()):
            refuse_over_cap()
        for name in names:
            begin(self._dataset, name, wanted, self._making.completions, self._teacher)
        runs = [wanted.run(name, run_id) for name, run_id in ids.items()]
        try:
            self._note([*self._dataset.runs, *runs], "grading")
        except Ended:
            # Whoever ended the dataset did not know of them.
            begun = (Run.find(run_id) for run_id in ids.values())
            plan_again((run for run in begun if run and run.cancel()), self._dataset.id)
            raise
        bus.send_all(PlanRun(run_id=run_id, correlation_id=self._dataset.id) for run_id in ids.values())

    def _ids_of(self, names: Sequence[str]) -> dict[str, str]:
        """The ids of runs that may still give grades. Those of a dataset that was deleted may have ended in vain."""
        while True:
            ids = {name: run_id_of(self._dataset, name) for name in names}
            found = map(Run.find, ids.values())
            if not any(run.ended and run.status != "completed" for run in found if run):
                return ids
            self._dataset = self._dataset.model_copy(update={"attempt": self._dataset.attempt + 1})

    def _note(self, runs: list[DatasetRun], status: Status) -> None:
        """Write the runs into the dataset, and whether it waits for them. Raises Ended where it no longer can."""
        # That of a distillation is recorded with its first run. Any other one that is not there was deleted.
        is_new = self._dataset.distillation_id is not None and not self._dataset.runs
        self._dataset = self._dataset.model_copy(update={"runs": runs, "status": status})
        recorded = is_new and self._dataset.create()
        changes = {"runs": runs, "status": status, "attempt": self._dataset.attempt}
        if not recorded and not self._dataset.change_open(changes):
            raise Ended


def _without_grades(begun: DatasetRun, run: Run | None) -> ApiError:
    if run is None:
        return ApiError(f"The run {begun.run_id} of the step {begun.name} was deleted.", code="run_deleted")
    reason = (run.error or {}).get("message", f"it ended as {run.status}")
    return ApiError(
        f"The run {run.id} of the step {begun.name} gave no grades: {reason}",
        code="run_canceled" if run.status == "canceled" else "run_failed",
    )
