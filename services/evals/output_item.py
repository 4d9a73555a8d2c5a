"""An output item as it is shown: one row of a run with its sample and its grades."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict

from foundation.document import Document


class ItemGrade(Document):
    """What one criterion found. Graders add fields of their own."""

    model_config = ConfigDict(extra="allow")

    name: str
    """The criterion's id."""
    type: str
    """The type of the grader."""
    passed: bool
    score: float
    """In the unit of the grader; 0 or 1 where it only passes or fails."""
    sample: dict[str, Any] | None = None
    """What the grader's model was asked and answered, or `error` where the row could not be graded."""


class OutputItem(Document):
    """One row of a run with its sample and its grades."""

    id: str
    object: Literal["eval.run.output_item"] = "eval.run.output_item"
    created_at: int
    """Seconds UTC."""
    eval_id: str
    run_id: str
    status: Literal["pass", "fail"]
    """`pass` where every criterion passed."""
    errored: bool = False
    """Whether the row could not be sampled, or not be graded by every criterion."""
    datasource_item_id: int
    """The row's number in the run, from 0."""
    datasource_item: dict[str, Any]
    """The row's fields, as graders see them under `item`."""
    results: list[ItemGrade]
    sample: dict[str, Any]
    """What the model was asked and answered, with its usage and parameters; `error` is null where it answered."""
