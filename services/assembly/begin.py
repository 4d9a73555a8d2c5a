"""Begin a run that a step needs: its rows, its eval and its record, each of which may be there already.

In: what is wanted. Out: the run as it stands in the table. It is not planned yet.
"""

from __future__ import annotations

from collections.abc import Iterator

from assembly.grading import Completions
from assembly.wanted import Wanted
from distillations import lineage
from distillations.dataset import Dataset
from distillations.lineage import Node
from evals.data_sources import CompletionsSource, FileId, ItemReference
from evals.own_rows import write_rows
from evals.run import Run, new_run
from foundation.errors import ApiError
from foundation.ids import derived_id


def run_id_of(dataset: Dataset, name: str) -> str:
    """The id of a run of this dataset, which is another one where the dataset was asked for again."""
    return derived_id("evalrun_", dataset.id, str(dataset.attempt), name)


def begin(dataset: Dataset, name: str, wanted: Wanted, completions: Completions, teacher: str | None) -> None:
    """Write the run and all that it needs."""
    wanted.eval_.create()
    run_id = run_id_of(dataset, name)
    # Several runs of a large set may take more than an invocation: the next one goes on with the others.
    file = write_rows(run_id, f"{dataset.id}-{name}.jsonl", lambda: wanted.lines(completions))
    if file is None:
        raise ApiError("Every completion that was to be graded has been deleted meanwhile.", code="no_rows")
    lineage.link_completions(wanted.linked, Node("run", run_id))
    run = new_run(
        run_id,
        wanted.eval_,
        name=f"{dataset.id}: {name}",
        data_source=_source(file.id, wanted),
        distillation_id=dataset.distillation_id,
        dataset_id=dataset.id,
        turn=wanted.names.index(name) + 1 if wanted.fresh else None,
    )
    run.model = wanted.model or teacher or ""
    run.create()
    lineage.link_run(run)
    lineage.link([(Node("run", run_id), Node("dataset", dataset.id))])


def open_runs(dataset: Dataset) -> Iterator[Run]:
    """The runs of a dataset that have not ended."""
    runs = (Run.find(needed.run_id or "") for needed in dataset.runs if needed.cost_usd is None)
    return (run for run in runs if run and not run.ended)


def _source(file_id: str, wanted: Wanted) -> CompletionsSource:
    source = CompletionsSource(type="completions", source=FileId(type="file_id", id=file_id))
    if wanted.model is None:
        return source
    # Answers that were paid before are one answer; of those who want fresh ones each turn is paid once.
    asking = {"model": wanted.model, "sampling_params": wanted.parameters or None, "fresh": wanted.fresh or None}
    asked = ItemReference(type="item_reference", item_reference="item.input")
    return source.model_copy(update={**asking, "input_messages": asked})
