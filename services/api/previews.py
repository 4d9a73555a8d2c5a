"""Criteria tried on a few stored completions before an eval is made. Our own, `/v1/evals/preview`."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from api.judges import take_judges
from completions.completion import Completion
from completions.sources import WHERE_TO_LOOK, StoredCompletions, selected
from foundation import loop
from foundation.document import Body
from foundation.errors import ApiError
from foundation.routes import Routes
from graders import Criterion
from graders.preview import EvalPreview, RowToPreview, preview
from providers import registry

router = Routes("Evals")
_MOST_ROWS = 10
_MOST_CRITERIA = 20
_LONGEST_S = 26.0
_MARGIN_S = 3.0


class CriteriaToPreview(Body):
    """What a caller sends."""

    testing_criteria: list[Criterion] = Field(min_length=1, max_length=_MOST_CRITERIA)
    source: StoredCompletions
    """The completions of which the first are graded as they were answered."""
    rows: int = Field(default=5, ge=1, le=_MOST_ROWS)
    ask_models: bool = False
    """Whether graders that ask a model are asked, which is paid each time. Else they are passed over."""


@router.post("/v1/evals/preview", scope="write", errors={404: "A grader's model does not exist."})
def preview_criteria(asked: CriteriaToPreview) -> EvalPreview:
    """Grade a few stored completions by criteria that are not saved, and say what asking their models costs."""
    for position, criterion in enumerate(asked.testing_criteria):
        take_judges(criterion, param=f"testing_criteria[{position}]")
    source = asked.source.model_copy(update={"limit": asked.rows})
    rows = [_row(completion) for completion in selected(source)]
    if not rows:
        raise ApiError(f"The filter selects no stored completion. {WHERE_TO_LOOK}", code="no_rows", param="source")
    left_s = min(router.lambda_context.get_remaining_time_in_millis() / 1000, _LONGEST_S) - _MARGIN_S
    trial = preview(asked.testing_criteria, rows, registry.providers(), ask_models=asked.ask_models, deadline_s=left_s)
    return loop.run(trial)


def _row(completion: Completion) -> RowToPreview:
    row = completion.row()
    wanted: Any = row["request"].get("response_format")
    asked_json = isinstance(wanted, dict) and wanted.get("type") != "text"
    return RowToPreview(completion.id, row["item"], row["sample"], asked_json)
