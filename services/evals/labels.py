"""People's labels as callers send them: with rows to be graded, or for rows of a run that is completed.

In: the source of a new calibration. Out: every person's answer about each row, by the row's number in the run, on the
criterion's scale. A label that the scale does not have, or of a row that the run does not have, is refused; the error
names its field.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Any, Literal, NamedTuple, Self

import orjson
from pydantic import AfterValidator, Field, model_validator

from evals.calibrated_graders import Compared, Human, vote
from evals.counts import graded_chunks
from evals.data_sources import FileId
from evals.files import File, Row, check_lines
from evals.output_items import output_item_id, read_output_items
from evals.run import Run
from evals.stored_figures import refuse_too_many_rows
from foundation import blobs
from foundation.document import Body
from foundation.errors import ApiError, TooLarge
from graders.grade import Scale

# A row of the table holds at most 400 KB, and the card lies in the same row.
_MOST_BYTES = 200_000
_MOST_FILE_BYTES = 32 * 1024 * 1024


def _people(human: Any) -> list[Human]:
    answers = human if isinstance(human, list) else [human]
    if not answers or not all(isinstance(answer, bool | int | float | str) for answer in answers):
        raise ValueError("a label, true or false, a score, or a list of them for several people")
    return answers


type People = Annotated[Any, AfterValidator(_people)]


class LabelledRow(Row):
    """A row, and the answers of one person or several about it: a label, true or false, or a score."""

    human: People


class LabelledRows(Body):
    """Labelled rows given inline."""

    type: Literal["file_content"]
    content: list[LabelledRow] = Field(min_length=1)


class Label(Body):
    """People's answers about one row of a run. `row` is its number, from 0."""

    human: People
    item_id: str | None = None
    completion_id: str | None = None
    row: int | None = None

    @model_validator(mode="after")
    def _names_one_row(self) -> Self:
        if len(self.named()) != 1:
            raise ValueError("name the row by item_id, by completion_id or by row")
        return self

    def named(self) -> list[tuple[str, str | int]]:
        """The field that names the row, and its value."""
        names = {"item_id": self.item_id, "completion_id": self.completion_id, "row": self.row}
        return [(field, value) for field, value in names.items() if value is not None]


class LabelledRun(Body):
    """Labels for the rows of a completed run. A row may come several times, once for each person."""

    type: Literal["run"]
    run_id: str
    labels: list[Label] = Field(min_length=1)


class RowLabels(NamedTuple):
    """People's answers about a row, and the path of the field that has them in the caller's body."""

    row: int
    people: list[Human]
    param: str


class Votes(NamedTuple):
    """People's votes by row, and which of the criterion's answers they are compared with: `label` or `passed`."""

    compared: Compared
    by_row: list[tuple[int, list[str]]]


def labels_of_rows(source: LabelledRows | FileId) -> list[RowLabels]:
    """Labels that come with rows; of an uploaded file, each line has its `human`."""
    if isinstance(source, LabelledRows):
        return [
            RowLabels(number, row.human, f"source.content[{number}].human") for number, row in enumerate(source.content)
        ]
    return [RowLabels(number, people, "source.id") for number, people in enumerate(_of_file(source.id))]


def labels_of_run(run: Run, labels: list[Label], *, each_chunk: Callable[[], None]) -> list[RowLabels]:
    """Labels for rows of a run. Raises ApiError where the run has no such row.

    Of several rows with one completion the first is meant. Where rows are named by completion, all of them are read,
    and `each_chunk` may stop that.
    """
    chunks = graded_chunks(run.id)
    numbers = [row for chunk in chunks for row in range(chunk.first_row, chunk.first_row + chunk.counts.total)]
    known: dict[tuple[str, str | int], int] = {("row", row): row for row in numbers}
    asked = {field for label in labels for field, _ in label.named()}
    if "item_id" in asked:
        known |= {("item_id", output_item_id(run.id, row)): row for row in numbers}
    if "completion_id" in asked:
        refuse_too_many_rows(run)
        for completion_id, row in read_output_items(
            run.id, [chunk.chunk for chunk in chunks], _completion_of, each_chunk=each_chunk
        ):
            if isinstance(completion_id, str) and completion_id:
                known.setdefault(("completion_id", completion_id), row)
    row_labels = []
    for position, label in enumerate(labels):
        ((field, value),) = label.named()
        param = f"source.labels[{position}]"
        if (field, value) not in known:
            raise ApiError(f"The run {run.id} has no row of {field} {value!r}.", code="no_such_row", param=param)
        row_labels.append(RowLabels(known[field, value], label.human, f"{param}.human"))
    return row_labels


def _completion_of(item: dict[str, Any]) -> tuple[Any, int]:
    return item["datasource_item"].get("completion_id"), item["datasource_item_id"]


def votes_by_row(labels: Iterable[RowLabels], scale: Scale) -> Votes:
    """All votes by row. Raises ApiError naming the first label that the criterion's scale does not have."""
    by_row: dict[int, list[str]] = defaultdict(list)
    kinds = set()
    for row, people, param in labels:
        try:
            by_row[row] += [vote(scale, human) for human in people]
        except ValueError as error:
            raise ApiError(f"Row {row}: 'human' must be {error}.", code="invalid_value", param=param) from error
        kinds |= {isinstance(human, str) for human in people}
        if len(kinds) > 1:
            raise ApiError(
                "Give labels of the criterion for all rows, or for none of them.", code="mixed_labels", param=param
            )
    votes = Votes("label" if kinds == {True} else "passed", sorted(by_row.items()))
    if len(orjson.dumps(votes.by_row)) > _MOST_BYTES:
        raise TooLarge(
            f"A calibration has at most {_MOST_BYTES} bytes of labels; a few hundred rows already tell.",
            code="too_many_labels",
            param="source",
        )
    return votes


def _of_file(file_id: str) -> Iterator[list[Human]]:
    file = File.load(file_id, param="source.id")
    if file.bytes > _MOST_FILE_BYTES:
        raise TooLarge(
            f"A file of labelled rows has at most {_MOST_FILE_BYTES} bytes.", code="file_too_large", param="source.id"
        )
    body = blobs.find(file.key)
    if body is None:
        raise ApiError("The file has no content.", code="file_not_found", param="source.id")
    check_lines(body, param="source.id")
    for number, line in enumerate(body.splitlines(), start=1):
        if line.strip():
            try:
                yield _people(orjson.loads(line).get("human"))
            except ValueError as error:
                raise ApiError(
                    f"Line {number} has no 'human': {error}.", code="invalid_row", param="source.id"
                ) from error
