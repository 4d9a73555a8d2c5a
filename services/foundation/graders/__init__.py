"""The graders. To add one: a module, its example cases in a JSON file of the same name, a line here."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from foundation.graders.grade import Grade, Judge, NotGradable
from foundation.graders.label_model import LabelModel
from foundation.graders.string_check import StringCheck

type Criterion = Annotated[StringCheck | LabelModel, Field(discriminator="type")]

__all__ = ["Criterion", "Grade", "Judge", "LabelModel", "NotGradable", "StringCheck"]
