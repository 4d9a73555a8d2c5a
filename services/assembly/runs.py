"""Have the rows of a step graded by a run of an eval, through the same queues as any other run.

In: the rows that a step needs grades of. Out: their grades, from the object beside the dataset, or from the run once it
has ended. Before that the run is begun, which changes nothing where it was begun before, and the pass ends by Waiting:
the end of the run has the dataset made again. ApiError where the run ended without grades.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import orjson

from assembly import results
from assembly.budget import Afforded, afforded, refuse_over_cap
from assembly.criteria import criterion_of, eval_of
from assembly.estimate import grading_nanodollars, sample_of
from assembly.grading import Grades, Waiting
from assembly.making import Making
from assembly.row import Row
from distillations import lineage
from distillations.dataset import Dataset, Status
from distillations.grades import DatasetRun
from distillations.grading_steps import Quality
from distillations.lineage import Node
from evals.data_sources import CompletionsSource, FileId
from evals.eval import Eval
from evals.files import File, rows_file_id
from evals.run import Run, new_run
from foundation import blobs, bus
from foundation.errors import ApiError
from foundation.events import PlanRun
from foundation.ids import derived_id, now
from providers.prices import cost_nanodollars

_MEDIA = "application/jsonl"


def wait_for_run(dataset: Dataset) -> None:
    """Raise Waiting while a run of the dataset is open. Its plan is asked for once more: the message may be lost."""
    last = Run.find(dataset.runs[-1].run_id or "") if dataset.runs else None
    if last and not last.ended:
        bus.send(PlanRun(run_id=last.id, correlation_id=dataset.id))
        raise Waiting


def plan_again(runs: Iterable[Run], correlation_id: str) -> None:
    """Have the end of canceled runs announced."""
    bus.send_all(PlanRun(run_id=run.id, correlation_id=correlation_id) for run in runs)


class StoredRuns:
    """The runs of one dataset."""

    def __init__(self, dataset: Dataset, making: Making, teacher: str | None) -> None:
        self._dataset = dataset
        self._recipe = making.recipe
        self._completions = making.completions
        self._teacher = teacher

    def runs(self) -> list[DatasetRun]:
        """The runs that the steps needed, in order."""
        return self._dataset.runs

    def grades(self, number: int, settings: Quality, rows: Sequence[Row]) -> Grades | None:
        """The grades of the rows. Raises Waiting until there are some, and ApiError where there will be none."""
        name = f"{number}-{settings.rule}"
        if not rows:
            return None
        begun = next((run for run in self._dataset.runs if run.name == name), None)
        if begun is None:
            self._begin(name, settings, [row.id for row in rows])
            raise Waiting
        grades = results.stored(self._dataset, name)
        if grades is None:
            begun = self._end(begun, settings)
            grades = results.stored(self._dataset, name) or results.StoredGrades(())
        return Grades(grades, begun)

    def _end(self, begun: DatasetRun, settings: Quality) -> DatasetRun:
        """Store what a run that has ended found, and what it cost."""
        run = Run.find(begun.run_id or "")
        if run and not run.ended:
            raise Waiting
        if run is None or run.status != "completed":
            raise _without_grades(begun, run)
        cost = cost_nanodollars(run.per_model_usage)
        ended = begun.model_copy(update={"cost_usd": None if cost is None else cost / 1e9})
        self._note(ended, "making")
        eval_ = eval_of(settings)
        results.store(self._dataset, begun.name, run, criterion_of(eval_, settings.criterion))
        return ended

    def _begin(self, name: str, settings: Quality, ids: list[str]) -> None:
        eval_ = eval_of(settings)
        criterion_of(eval_, settings.criterion)
        run_id = derived_id("evalrun_", self._dataset.id, str(self._dataset.attempt), name)
        if Run.find(run_id) is None:
            refuse_over_cap()
        each = grading_nanodollars(eval_.testing_criteria, sample_of(ids, self._completions))
        graded = afforded(ids, each, settings, self._recipe, self._dataset.runs)
        eval_.create()
        file = self._write_rows(run_id, name, graded)
        self._create_run(run_id, eval_, name, file)
        begun = DatasetRun(
            name=name,
            eval_id=eval_.id,
            run_id=run_id,
            rows=len(graded.ids),
            left_out=graded.left_out,
            estimated_usd=graded.estimated_usd,
        )
        self._note(begun, "grading")
        bus.send(PlanRun(run_id=run_id, correlation_id=self._dataset.id))

    def _write_rows(self, run_id: str, name: str, graded: Afforded) -> File:
        """Write the rows of the run where its plan looks for them, unless they are there."""
        key, wanted = f"runs/{run_id}/rows.jsonl", set(graded.ids)

        def lines() -> Iterator[bytes]:
            for completion in self._completions():
                if completion.id in wanted:
                    wanted.discard(completion.id)
                    yield orjson.dumps(completion.row()) + b"\n"

        blobs.put_new_lines(key, lines(), content_type=_MEDIA)
        file = File(
            id=rows_file_id(run_id),
            created_at=now(),
            bytes=blobs.size(key),
            filename=f"{self._dataset.id}-{name}.jsonl",
            purpose="evals",
            key=key,
        )
        file.create()
        lineage.link_completions(graded.ids, Node("run", run_id))
        return file

    def _create_run(self, run_id: str, eval_: Eval, name: str, file: File) -> None:
        run = new_run(
            run_id,
            eval_,
            name=f"{self._dataset.id}: {name}",
            data_source=CompletionsSource(type="completions", source=FileId(type="file_id", id=file.id)),
            distillation_id=self._dataset.distillation_id,
            dataset_id=self._dataset.id,
        )
        run.model = self._teacher or ""
        run.create()
        lineage.link_run(run)
        lineage.link([(Node("run", run_id), Node("dataset", self._dataset.id))])

    def _note(self, run: DatasetRun, status: Status) -> None:
        """Write the run into the dataset, over what was known of it, and whether the dataset waits for it."""
        others = [other for other in self._dataset.runs if other.name != run.name]
        self._dataset = self._dataset.model_copy(update={"runs": [*others, run], "status": status})
        self._dataset.create()
        self._dataset.change_open({"runs": self._dataset.runs, "status": status})


def _without_grades(begun: DatasetRun, run: Run | None) -> ApiError:
    if run is None:
        return ApiError(f"The run {begun.run_id} of the step {begun.name} was deleted.", code="run_deleted")
    reason = (run.error or {}).get("message", f"it ended as {run.status}")
    return ApiError(
        f"The run {run.id} of the step {begun.name} gave no grades: {reason}",
        code="run_canceled" if run.status == "canceled" else "run_failed",
    )
