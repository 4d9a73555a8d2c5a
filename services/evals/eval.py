"""An eval, in OpenAI's shape: the criteria that an output must meet, and the shape of the rows."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from foundation import table
from foundation.document import Body
from foundation.ids import now
from foundation.records import Record
from graders import Criterion

GONE_EVALS = "GONEEVALS"
"""The partition of the deleted evals whose runs are still there; their sort keys are `<deleted at>#<id>`."""


class CustomConfig(Body):
    """Rows that the run brings, of a schema given here."""

    type: Literal["custom"]
    item_schema: dict[str, Any]
    include_sample_schema: bool = False


class StoredConfig(Body):
    """Rows that are stored completions; `logs` is its newer name."""

    type: Literal["logs", "stored_completions"]
    metadata: dict[str, Any] | None = None


class Eval(Record):
    """An eval: the criteria that an output must meet, and the shape of the rows."""

    KIND: ClassVar[str] = "EVAL"
    NAME: ClassVar[str] = "eval"

    object: Literal["eval"] = "eval"
    name: str
    data_source_config: dict[str, Any]
    testing_criteria: list[Criterion]
    metadata: dict[str, str] | None = None
    updated_at: int | None = None

    def remove(self) -> None:
        """Delete it, and note that its runs are to be erased."""
        table.put({"pk": GONE_EVALS, "sk": f"{now():010d}#{self.id}"})
        super().remove()
