"""The graders. To add one: a module, its example cases in a JSON file of the same name, a line here."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from graders.grade import Grade, GraderModel, Models, NotGradable
from graders.json_match import JsonMatch
from graders.json_schema import JsonSchema
from graders.label_model import LabelModel
from graders.multi import Multi
from graders.python import Python
from graders.recorded import Recorded
from graders.regex import Regex
from graders.score_model import ScoreModel
from graders.string_check import StringCheck
from graders.text_similarity import TextSimilarity
from graders.tool_call_match import ToolCallMatch

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
