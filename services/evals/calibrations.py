"""Calibrations: compare a criterion's grades with people's labels, and make a judge card of the result.

In: a run of the eval, and labels of its rows. Out: a card. It is computed by the first request for the calibration
after the run has ended, and stored once. The card belongs to a rubric, the hash of everything that decides how the
judge is asked and read: an eval whose criterion has another rubric shows it as stale, and another eval with the same
rubric uses it too. If the run failed, was canceled or is gone, the calibration ends as failed.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar, Literal

from evals.calibrated_graders import FAIL, PASS, Compared, NamedGrader, graders_of, judges_of
from evals.counts import graded_chunks
from evals.eval import Eval
from evals.judge_cards import NO_LABEL, JudgeCard, JudgedRow, judge_card
from evals.output_items import read_output_items
from evals.run import Run
from foundation import table
from foundation.document import Document
from foundation.records import Record
from stats import Interval

type CalibrationStatus = Literal["in_progress", "completed", "failed"]


class Calibration(Record):
    """A calibration. `labels` has people's answers by row of the run; `paid` is whether the run was made for it."""

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
    compared: Compared
    passing: list[str]
    labels: list[tuple[int, list[str]]]
    paid: bool
    status: CalibrationStatus = "in_progress"
    card: JudgeCard | None = None
    error: dict[str, str] | None = None
    metadata: dict[str, str] | None = None

    def parent(self) -> str:
        return self.eval_id


class JudgeReliability(Document):
    """A judge's newest card in short, as verdicts show it."""

    calibration_id: str
    model: str | None
    """The judge's model; null for recorded grades of which no model is known."""
    n: int
    """Rows on which judge and people were compared."""
    agreement: float | None
    """The share of them on which both gave the same answer, from 0 to 1; null without rows."""
    agreement_interval: Interval | None
    """Wilson's 95% interval of the agreement."""
    kappa: float | None
    """Cohen's kappa, from -1 to 1."""
    false_pass: float | None
    """The share of the rows failed by people that the judge passed."""
    false_fail: float | None
    """The share of the rows passed by people that the judge failed."""
    stale: bool
    """Whether the eval asks or reads its judge otherwise than it did for this card."""


def settled(calibration: Calibration) -> Calibration:
    """The calibration, with its card if its run has ended meanwhile."""
    if calibration.status != "in_progress":
        return calibration
    run = Run.find(calibration.run_id)
    if run is not None and not run.ended:
        return calibration
    if run is not None and run.status == "completed":
        # Written before the card is stored: a card that can be seen must also be found by its rubric.
        place = f"{calibration.created_at:010d}#{calibration.id}"
        table.put({"pk": _shared_by(calibration.rubric), "sk": place, "id": calibration.id})
        card = _card(calibration, run).model_dump(mode="json")
        calibration.change({"status": "completed", "card": card}, where={"status": "in_progress"})
    else:
        error = {"code": "run_not_completed", "message": f"Its run is {run.status if run else 'deleted'}."}
        calibration.change({"status": "failed", "error": error}, where={"status": "in_progress"})
    return Calibration.load(calibration.id)


def is_stale(calibration: Calibration, eval_: Eval) -> bool:
    """Whether the eval no longer asks and reads its judge as it did for this card."""
    place = (calibration.criterion_id, calibration.part)
    return not any(
        (grader.criterion_id, grader.part) == place and grader.rubric == calibration.rubric
        for grader in graders_of(eval_)
    )


def reliability(eval_: Eval) -> dict[str, JudgeReliability | None]:
    """By name, or by id where names are not enough, each judge's newest card in short; None where it has none."""
    judges = judges_of(eval_)
    if not judges:
        return {}
    own = [settled(calibration) for calibration in Calibration.every(parent=eval_.id, descending=True)]
    names = Counter(judge.name for judge in judges)
    return {judge.name if names[judge.name] == 1 else judge.key: _newest(judge, own) for judge in judges}


def _newest(judge: NamedGrader, own: list[Calibration]) -> JudgeReliability | None:
    """The newest card with the judge's rubric, from this eval or another, else the eval's newest stale card."""
    for row in table.query(_shared_by(judge.rubric), descending=True, limit=1):
        shared = settled(Calibration.load(row["id"]))
        if shared.card:
            return _in_short(shared, shared.card, stale=False)
    place = (judge.criterion_id, judge.part)
    for calibration in own:
        if calibration.card and (calibration.criterion_id, calibration.part) == place:
            return _in_short(calibration, calibration.card, stale=True)
    return None


def _in_short(calibration: Calibration, card: JudgeCard, *, stale: bool) -> JudgeReliability:
    return JudgeReliability(
        calibration_id=calibration.id,
        model=calibration.model,
        n=card.n,
        agreement=card.agreement.rate,
        agreement_interval=card.agreement.interval,
        kappa=card.kappa,
        false_pass=card.false_pass.rate,
        false_fail=card.false_fail.rate,
        stale=stale,
    )


def _shared_by(rubric: str) -> str:
    return f"RUBRIC#{rubric}"


def _card(calibration: Calibration, run: Run) -> JudgeCard:
    votes = dict(calibration.labels)
    chunks = [
        chunk.chunk
        for chunk in graded_chunks(run.id)
        if not votes.keys().isdisjoint(range(chunk.first_row, chunk.first_row + chunk.counts.total))
    ]

    def judged(item: dict[str, Any]) -> JudgedRow | None:
        row = item["datasource_item_id"]
        return _judged_row(item, calibration, votes[row]) if row in votes else None

    rows = [row for row in read_output_items(run.id, chunks, judged) if row]
    usage = run.per_model_usage if calibration.paid else []
    return judge_card(rows, frozenset(calibration.passing), judge=calibration.model, usage=usage)


def _judged_row(item: dict[str, Any], calibration: Calibration, votes: list[str]) -> JudgedRow:
    """The calibrated grader's answer in an output item, together with people's votes on the row."""
    result = _result(item, calibration)
    shown: dict[str, Any] = result.get("sample") or {}
    return JudgedRow(
        item_id=item["id"],
        votes=votes,
        judged=_answer(result, shown, calibration.compared),
        passed=bool(result.get("passed")),
        position_consistent=shown.get("position_consistent"),
        judge=shown.get("model") if calibration.model else None,
        model=item["sample"]["model"],
    )


def _result(item: dict[str, Any], calibration: Calibration) -> dict[str, Any]:
    """The result of the calibrated criterion, or of its part; empty where the item has none of its own."""
    results = {result["name"]: result for result in item["results"]}
    result: dict[str, Any] = results.get(calibration.criterion_id) or {}
    if result.get("recorded") and result["type"] != "recorded":
        # A recorded grade was given by another judge.
        return {}
    if calibration.part is None:
        return result
    graders = (result.get("sample") or {}).get("graders") or {}
    return graders.get(calibration.part) or {}


def _answer(result: dict[str, Any], shown: dict[str, Any], compared: str) -> str | None:
    """The judge's answer as it is compared with people's: a label, or pass or fail. None where it could not grade."""
    if not result or shown.get("error"):
        return None
    if compared == "passed":
        return PASS if result["passed"] else FAIL
    return (shown["label"] or NO_LABEL) if "label" in shown else None
