"""The graders. To add one: a module, its example cases in a JSON file of the same name, a line here."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from foundation.graders.grade import Grade, GraderModel, Models, NotGradable
from foundation.graders.json_match import JsonMatch
from foundation.graders.json_schema import JsonSchema
from foundation.graders.label_model import LabelModel
from foundation.graders.multi import Multi
from foundation.graders.python import Python
from foundation.graders.recorded import Recorded
from foundation.graders.regex import Regex
from foundation.graders.score_model import ScoreModel
from foundation.graders.string_check import StringCheck
from foundation.graders.text_similarity import TextSimilarity
from foundation.graders.tool_call_match import ToolCallMatch

GRADERS = (
    StringCheck
    | TextSimilarity
    | LabelModel
    | ScoreModel
    | JsonSchema
    | JsonMatch
    | Regex
    | ToolCallMatch
    | Python
    | Recorded
)  # fmt: skip

type Criterion = Annotated[
    GRADERS | Multi[Annotated[GRADERS, Field(discriminator="type")]], Field(discriminator="type")
]

__all__ = ["GRADERS", "Criterion", "Grade", "GraderModel", "LabelModel", "Models", "NotGradable", "StringCheck"]
