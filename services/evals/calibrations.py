"""Calibrations: a criterion of an eval held against people's labels, and the judge card that comes of it.

In: a run of the eval and the labels of its rows. Out: a card, computed when the run has ended, by whoever looks at it
first, and stored once. It is pinned to the rubric, a hash of all that decides how the judge is asked and read; an eval
whose criterion hashes otherwise shows it as stale, and another eval with the same rubric shares it. A run that failed,
was canceled or is gone ends the calibration as failed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, Literal, NamedTuple

import orjson

from evals.counts import graded_chunks
from evals.eval import Eval
from evals.judge_cards import NO_LABEL, Labelled, figures, same_family
from evals.output_items import output_items
from evals.run import Run
from foundation import table
from foundation.ids import derived_id
from foundation.records import Record
from graders.fence import NOTICE
from graders.grade import GraderModel
from graders.judging import JudgeModel
from graders.multi import Multi
from graders.recorded import Recorded
from providers.prices import cost_nanodollars

PASS, FAIL = "pass", "fail"
_READERS = 8
type Human = bool | int | float | str


class Calibration(Record):
    """`labels` holds, by row of the run, what each person said; `paid` is whether the run was made for this."""

    KIND: ClassVar[str] = "CALIBRATION"
    NAME: ClassVar[str] = "calibration"

    object: Literal["eval.calibration"] = "eval.calibration"
    eval_id: str
    run_id: str
    name: str
    criterion: str
    criterion_id: str
    part: str | None = None
    model: str | None = None
    rubric: str
    compared: Literal["label", "passed"]
    passing: list[str]
    labels: list[tuple[int, list[str]]]
    paid: bool
    status: Literal["in_progress", "completed", "failed"] = "in_progress"
    card: dict[str, Any] | None = None
    error: dict[str, str] | None = None
    metadata: dict[str, str] | None = None

    def parent(self) -> str:
        return self.eval_id


class Scale(NamedTuple):
    """What a criterion answers with; `model` is its judge. Of a recorded one, by the definition that came with it."""

    labels: list[str]
    passing: list[str]
    threshold: float | None
    model: str | None


class Graded(NamedTuple):
    """A criterion, or a part of a `multi`, as calibrations name it."""

    name: str
    criterion_id: str
    part: str | None
    grader: GraderModel

    @property
    def key(self) -> str:
        """Its id, which is its own where its name may not be."""
        return self.criterion_id if self.part is None else f"{self.criterion_id}.{self.part}"

    @property
    def rubric(self) -> str:
        """The hash of how it is asked and read. Its name is no part of that."""
        definition = self.grader.model_dump(mode="json", exclude={"id", "name"})
        fence = NOTICE if isinstance(self.grader, JudgeModel) and self.grader.fence else ""
        return derived_id("rubric_", orjson.dumps(definition, option=orjson.OPT_SORT_KEYS).decode(), fence)


def graders_of(eval_: Eval) -> Iterator[Graded]:
    """Everything of an eval that finds a row good or bad, the parts of a `multi` as `<its name>.<part>`."""
    for criterion in eval_.testing_criteria:
        yield Graded(criterion.name, criterion.id, None, criterion)
        if isinstance(criterion, Multi):
            for part, grader in criterion.graders.items():
                yield Graded(f"{criterion.name}.{part}", criterion.id, part, grader)


def scale_of(grader: GraderModel) -> Scale:
    definition = (grader.definition or {}) if isinstance(grader, Recorded) else grader.model_dump()
    labels, passing = definition.get("labels"), definition.get("passing_labels")
    threshold, model = definition.get("pass_threshold"), definition.get("model")
    return Scale(
        labels=labels if isinstance(labels, list) else [],
        passing=passing if isinstance(passing, list) else [],
        threshold=threshold if isinstance(threshold, int | float) else None,
        model=model if isinstance(model, str) else None,
    )


def vote(scale: Scale, human: Human) -> str:
    """One person's answer as the card counts it: a label, or pass or fail. Raises ValueError where it is neither."""
    if isinstance(human, bool):
        return PASS if human else FAIL
    if isinstance(human, str):
        if human not in scale.labels:
            raise ValueError(
                f"one of {scale.labels}, or true or false" if scale.labels else "true or false, or a score"
            )
        return human
    if scale.threshold is None:
        raise ValueError("no score: this criterion has no pass_threshold to hold it against")
    return PASS if human >= scale.threshold else FAIL


def settled(one: Calibration) -> Calibration:
    """The same, with its card if its run has ended meanwhile."""
    if one.status != "in_progress":
        return one
    run = Run.find(one.run_id)
    if run is not None and not run.ended:
        return one
    if run is not None and run.status == "completed":
        # Before the card: whoever sees one must also find it by its rubric.
        table.put({"pk": _shared_by(one.rubric), "sk": f"{one.created_at:010d}#{one.id}", "id": one.id})
        one.change({"status": "completed", "card": _card(one, run)}, where={"status": "in_progress"})
    else:
        error = {"code": "run_not_completed", "message": f"Its run is {run.status if run else 'deleted'}."}
        one.change({"status": "failed", "error": error}, where={"status": "in_progress"})
    return Calibration.load(one.id)


def is_stale(one: Calibration, eval_: Eval) -> bool:
    """Whether the eval no longer asks and reads its judge as it did for this card."""
    place = (one.criterion_id, one.part)
    return not any((it.criterion_id, it.part) == place and it.rubric == one.rubric for it in graders_of(eval_))


def reliability(eval_: Eval) -> dict[str, dict[str, Any] | None]:
    """By name, or by id where names are not enough, each judge's newest card in short; None where it has none."""
    judges = [one for one in graders_of(eval_) if isinstance(one.grader, JudgeModel)]
    if not judges:
        return {}
    own = [settled(one) for one in Calibration.every(parent=eval_.id, descending=True)]
    names = Counter(judge.name for judge in judges)
    return {judge.name if names[judge.name] == 1 else judge.key: _newest(judge, own) for judge in judges}


def _newest(judge: Graded, own: list[Calibration]) -> dict[str, Any] | None:
    """Its own or another eval's card of the same rubric, else the newest of those that are stale."""
    for row in table.query(_shared_by(judge.rubric), descending=True, limit=1):
        shared = settled(Calibration.load(row["id"]))
        if shared.card:
            return _key_figures(shared.card, shared, stale=False)
    place = (judge.criterion_id, judge.part)
    for one in own:
        if one.card and (one.criterion_id, one.part) == place:
            return _key_figures(one.card, one, stale=True)
    return None


def _key_figures(card: dict[str, Any], one: Calibration, *, stale: bool) -> dict[str, Any]:
    return {
        "calibration_id": one.id,
        "model": one.model,
        "n": card["n"],
        "agreement": card["agreement"]["rate"],
        "agreement_interval": card["agreement"]["interval"],
        "kappa": card["kappa"],
        "false_pass": card["false_pass"]["rate"],
        "false_fail": card["false_fail"]["rate"],
        "stale": stale,
    }


def _shared_by(rubric: str) -> str:
    return f"RUBRIC#{rubric}"


def _card(one: Calibration, run: Run) -> dict[str, Any]:
    votes = dict(one.labels)
    rows = [row for chunk in _read(run.id, one, votes) for row in chunk]
    found = figures(rows, frozenset(one.passing))
    usage = run.per_model_usage if one.paid else []
    cost = cost_nanodollars(usage)
    return {
        **found,
        "same_family": same_family(one.model, found["models_under_test"]),
        "per_model_usage": [used.model_dump() for used in usage],
        "cost_usd": None if cost is None else cost / 1e9,
    }


def _read(run_id: str, one: Calibration, votes: dict[int, list[str]]) -> Iterator[list[Labelled]]:
    """The labelled rows of each chunk that has some, eight chunks read at once."""
    chunks = [
        chunk.chunk
        for chunk in graded_chunks(run_id)
        if not votes.keys().isdisjoint(range(chunk.first_row, chunk.first_row + chunk.counts.total))
    ]

    def of_chunk(chunk: int) -> list[Labelled]:
        items = output_items(run_id, chunk)
        return [_labelled(item, one, votes[row]) for item in items if (row := item["datasource_item_id"]) in votes]

    with ThreadPoolExecutor(_READERS) as readers:
        yield from readers.map(of_chunk, chunks)


def _labelled(item: dict[str, Any], one: Calibration, votes: list[str]) -> Labelled:
    result: dict[str, Any] = next((it for it in item["results"] if it["name"] == one.criterion_id), {})
    if result.get("recorded") and result["type"] != "recorded":
        # What came with the row is another judge's verdict.
        result = {}
    if one.part is not None:
        result = ((result.get("sample") or {}).get("graders") or {}).get(one.part) or {}
    found: dict[str, Any] = result.get("sample") or {}
    said: str | None = None
    if result and not found.get("error") and (one.compared == "passed" or "label" in found):
        said = (found.get("label") or NO_LABEL) if one.compared == "label" else (PASS if result["passed"] else FAIL)
    return Labelled(
        item_id=item["id"],
        votes=votes,
        said=said,
        passed=bool(result.get("passed")),
        position_consistent=found.get("position_consistent"),
        judge=found.get("model") if one.model else None,
        model=item["sample"]["model"],
    )
