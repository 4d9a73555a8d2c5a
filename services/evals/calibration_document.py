"""A calibration as it is shown: its judge card with a link to each row that the judge got wrong."""

from __future__ import annotations

from typing import Literal

from evals.calibrated_graders import Compared
from evals.calibrations import Calibration, CalibrationStatus, is_stale
from evals.eval import Eval
from evals.judge_cards import CardFigures, Mistakes, Share
from foundation.document import Document
from foundation.settings import settings


class ItemLink(Document):
    """An output item, and where it is retrieved."""

    id: str
    url: str


class LinkedMistakes(Share):
    """Of the rows that people let pass, or fail, those on which the judge found the opposite."""

    items: list[ItemLink]
    """At most 200 of them."""


class ShownJudgeCard(CardFigures):
    """A judge card with links to the judge's mistakes."""

    false_pass: LinkedMistakes
    """Of the rows that people let fail, those that the judge passed."""
    false_fail: LinkedMistakes
    """Of the rows that people let pass, those that the judge failed."""


class CalibrationDocument(Document):
    """A criterion of an eval held against people's labels."""

    id: str
    object: Literal["eval.calibration"] = "eval.calibration"
    created_at: int
    """Seconds UTC."""
    eval_id: str
    run_id: str
    """The run whose rows were labelled."""
    name: str
    criterion: str
    """Its name; of a part of a `multi`, `<criterion>.<part>`."""
    criterion_id: str
    model: str | None
    """The judge's model; null where no model judges."""
    rubric: str
    """A hash of how the judge is asked and read."""
    compared: Compared
    """Whether people's labels were compared with the judge's, or only whether the row passes."""
    status: CalibrationStatus
    card: ShownJudgeCard | None
    """Null until the run is completed."""
    error: dict[str, str] | None
    metadata: dict[str, str] | None
    stale: bool
    """Whether the eval no longer asks and reads its judge as it did for this card."""


def calibration_document(calibration: Calibration, eval_: Eval) -> CalibrationDocument:
    shared = {name: getattr(calibration, name) for name in CalibrationDocument.model_fields.keys() - {"card", "stale"}}
    return CalibrationDocument(**shared, card=_shown_card(calibration), stale=is_stale(calibration, eval_))


def _shown_card(calibration: Calibration) -> ShownJudgeCard | None:
    card = calibration.card
    if card is None:
        return None
    linked = {name: _linked(getattr(card, name), calibration) for name in ("false_pass", "false_fail")}
    return ShownJudgeCard(**{**dict(card), **linked})


def _linked(mistakes: Mistakes, calibration: Calibration) -> LinkedMistakes:
    items = f"{settings().API_URL}/evals/{calibration.eval_id}/runs/{calibration.run_id}/output_items"
    links = [ItemLink(id=item_id, url=f"{items}/{item_id}") for item_id in mistakes.items]
    return LinkedMistakes(**{**dict(mistakes), "items": links})
