"""A verdict: the decision about a distillation, with its evidence."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import ConfigDict

from foundation.records import Record


class Verdict(Record):
    """The decision with its evidence."""

    KIND: ClassVar[str] = "VERDICT"
    NAME: ClassVar[str] = "verdict"

    model_config = ConfigDict(extra="allow")

    object: Literal["verdict"] = "verdict"
    distillation_id: str
    eval_id: str
    outcome: Literal["beats_baseline", "no_better", "worse", "inconclusive"]
    sentence: str
    notified_at: int | None = None
