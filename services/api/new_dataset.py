"""The request for a dataset: what it is made of is chosen and written down, then it is asked for.

In: a caller's sources, recipe and test rows. Out: the dataset as it is recorded; or an ApiError naming the field.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Annotated, Any, Literal

from pydantic import Field

from api.judges import take_judges_of_steps
from api.preference import refuse_pairs
from completions import corrections, selection
from completions.corrections import Correction
from completions.filters import Filter
from completions.postings import Reference
from completions.saved_filters import SavedFilter
from completions.scan import Scan
from completions.sources import WHERE_TO_LOOK, StoredCompletions
from distillations import file_lines
from distillations.dataset import CANCELLED, Dataset, Source
from distillations.file_source import FileSource
from distillations.recipe import Recipe, RowSource
from distillations.rows import rows_of
from distillations.trainers import TrainerName, kind_of
from evals.data_sources import FileId
from foundation import blobs, bus, table
from foundation.document import Body
from foundation.errors import ApiError, TooLarge
from foundation.events import AssembleDataset
from foundation.ids import derived_id, now
from providers.registry import terms_of
from providers.terms import TeacherTerms

_MOST_SOURCES = 8
_SECONDS = 20.0
MOST_LOOKED_THROUGH = 500_000
"""The completions that one call looks through: their references take 430 MB of a function's 1,024."""
_LONGEST_RECIPE = 96 * 1024
_MADE = "MADE"
_REMEMBERED_S = 24 * 3600
_AGAIN = {
    "assembly_failed",
    "budget_too_small",
    CANCELLED,
    "monthly_cap_reached",
    "no_price",
    "run_canceled",
    "run_deleted",
    "run_failed",
}
"""Why a dataset failed that may be ready when it is made another time."""


class SavedFilterSource(Body):
    """A saved filter as a source of completions."""

    type: Literal["filter"]
    id: str


type DatasetSource = Annotated[StoredCompletions | SavedFilterSource | FileSource, Field(discriminator="type")]


class NewDataset(Body):
    """A training set to be made."""

    source: Annotated[list[DatasetSource], Field(min_length=1, max_length=_MOST_SOURCES)] | DatasetSource
    """A filter on stored completions, a saved filter, an uploaded file of training examples, or several of them that
    count together."""
    recipe: Recipe = Field(default_factory=Recipe)
    """How it is made. The default suits most sets."""
    production: StoredCompletions | None = None
    """The traffic that the report holds it against; if absent, the newest completions of the source's own filters."""
    held_out: Source | None = None
    """The rows of an eval, which must not train: a filter on stored completions, or a file of rows."""
    trainer: TrainerName = "default"
    """The trainer whose examples its lines are to be."""
    dry_run: bool = Field(default=False, strict=True)
    """Whether only the report is made."""


def begin(asked: NewDataset, attempt: str) -> Dataset:
    """Choose the completions, record the dataset and have it made. One that exists is not made again.

    `attempt` is equal for attempts of one POST: the first one's dataset answers all.
    """
    earlier = _made_by(attempt)
    if earlier:
        return earlier
    at = now()
    take_judges_of_steps(asked.recipe)
    _refuse_large(asked.recipe)
    refuse_pairs(asked.recipe, asked.trainer)
    source = [_row_source(one, at) for one in (asked.source if isinstance(asked.source, list) else [asked.source])]
    scan = Scan(references=MOST_LOOKED_THROUGH, seconds=_SECONDS)
    train = _chosen(source, scan, "source", _lines(source, several=isinstance(asked.source, list)))
    _refuse_strangers(asked.recipe, {reference.id for reference in train})
    held_out, test, test_digest = _held_out(asked.held_out, at, scan)
    trainer = kind_of(asked.trainer)
    corrected = corrections.of(train)
    how = [
        *(correction.model_dump_json() for correction in corrected),
        asked.recipe.model_dump_json(),
        trainer,
        str(asked.dry_run),
        *([asked.production.model_dump_json()] if asked.production else []),
        *(one.model_dump_json() for one in source if isinstance(one, FileSource)),
    ]
    dataset = Dataset(
        id=derived_id("dataset_", selection.digest(train), test_digest, *how),
        created_at=at,
        status="queued",
        source=source,
        recipe=asked.recipe,
        held_out=held_out,
        production=asked.production,
        teacher_terms=_terms(source),
        trainer=trainer,
        dry_run=asked.dry_run,
    )
    first = table.put_new({"pk": attempt, "sk": _MADE, "id": dataset.id, "expires": at + _REMEMBERED_S})
    return (None if first else _made_by(attempt)) or _begun(dataset, train, test, corrected)


def _refuse_large(recipe: Recipe) -> None:
    """Raises TooLarge for a recipe that does not fit into the dataset's row beside the card, which has it, too."""
    size = len(recipe.model_dump_json().encode())
    if size > _LONGEST_RECIPE:
        raise TooLarge(
            f"Invalid 'recipe': it has {size} bytes, and at most {_LONGEST_RECIPE} are kept. Name an eval in 'eval_id' "
            "in place of long 'criteria'.",
            code="object_too_large",
            param="recipe",
        )


def _refuse_strangers(recipe: Recipe, selected: AbstractSet[str]) -> None:
    """Raises ApiError where the recipe names a completion by hand that the source does not select."""
    for field, names in (("keep", recipe.keep), ("drop", recipe.drop)):
        for place, name in enumerate(names):
            if name not in selected:
                raise ApiError(
                    f"The source selects no completion '{name}'. Name ids of the rows of a dataset of this source.",
                    code="invalid_value",
                    param=f"recipe.{field}[{place}]",
                )


def _made_by(attempt: str) -> Dataset | None:
    """The dataset that another attempt of this POST has made: by now the same filter may select more."""
    row = table.get(attempt, _MADE)
    return Dataset.find(row["id"]) if row else None


def _begun(dataset: Dataset, train: list[Reference], test: list[Reference], corrected: list[Correction]) -> Dataset:
    """The dataset as it is recorded; what it is made of is written before it, and the message sent behind it."""
    existing = Dataset.find(dataset.id)
    if existing is None:
        selection.write(dataset.key("selection.jsonl"), train)
        selection.write(dataset.key("held_out.jsonl"), test)
        corrections.freeze(dataset.key("corrections.jsonl"), corrected)
    dataset.create()
    recorded = Dataset.load(dataset.id)
    if recorded.error and recorded.error.code in _AGAIN:
        # Nothing is wrong with what was asked for, so it may be made another time, with new runs for those that failed.
        recorded.open()
        graded = [run for run in recorded.runs if blobs.exists(recorded.grades_key(run.name))]
        anew: dict[str, Any] = {"status": "queued", "error": None, "runs": graded, "attempt": recorded.attempt + 1}
        recorded.change(anew, where={"status": "failed"})
        recorded = Dataset.load(dataset.id)
    if recorded.status == "queued":
        message = AssembleDataset(distillation_id="", dataset_id=recorded.id, correlation_id=recorded.id)
        bus.send(message)
    return recorded


def _terms(source: Sequence[RowSource]) -> list[TeacherTerms]:
    """What is noted of the terms of those who answered; unknown where a file does not say who did."""
    models = sorted({one.model for one in source if one.model})
    nobody = [
        TeacherTerms(provider="unknown", trains_others="unknown", note=f"nobody said whose answers {one.id} has")
        for one in source
        if isinstance(one, FileSource) and not one.model
    ]
    return [*(terms for model in models if (terms := terms_of(model))), *nobody]


def _lines(source: Sequence[RowSource], *, several: bool) -> Iterator[Reference]:
    """The lines of the files among the sources, lazily. Raises ApiError naming the file's field."""
    files = {number: one for number, one in enumerate(source) if isinstance(one, FileSource)}
    times = Counter(one.id for one in files.values())
    for number, one in files.items():
        param = f"source[{number}].id" if several else "source.id"
        if times[one.id] > 1:
            raise ApiError(f"Invalid '{param}': the source names {one.id} twice.", code="invalid_value", param=param)
        yield from file_lines.references(one, param=param)


def _row_source(source: DatasetSource, at: int) -> RowSource:
    return source if isinstance(source, FileSource) else _filter_of(source, at)


def _filter_of(source: StoredCompletions | SavedFilterSource, at: int) -> StoredCompletions:
    """The source as a filter with an end: what is captured later is not part of this dataset."""
    if isinstance(source, SavedFilterSource):
        saved: Filter = SavedFilter.load(source.id, param="source.id").filter
        source = StoredCompletions.model_validate({"type": "stored_completions", **saved.model_dump()})
    return source.model_copy(update={"created_before": min(source.created_before or at, at)})


def _held_out(source: Source | None, at: int, scan: Scan) -> tuple[Source | None, list[Reference], str]:
    """The test rows: where they are, the completions that they are, and a digest of both."""
    if isinstance(source, FileId):
        next(rows_of(source, "", param="held_out"), None)
        return source, [], source.id
    if source is None:
        return None, [], ""
    ended = _filter_of(source, at)
    test = _chosen([ended], scan, "held_out")
    return ended, test, selection.digest(test)


def _chosen(sources: Sequence[RowSource], scan: Scan, param: str, lines: Iterable[Reference] = ()) -> list[Reference]:
    """What the sources select. Raises ApiError where that is nothing: with a tag that is mistyped no leak is found."""
    filters = [source for source in sources if isinstance(source, StoredCompletions)]
    references = selection.chosen(filters, scan, param=param, lines=lines)
    if not references:
        raise ApiError(f"The {param} selects no stored completion. {WHERE_TO_LOOK}", code="no_rows", param=param)
    return references
