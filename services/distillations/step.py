"""What all steps of a recipe have in common."""

from __future__ import annotations

from pydantic import ConfigDict

from foundation.document import Document


class BaseStep(Document):
    """A step of a recipe: the rule that it is, and the settings of that rule."""

    model_config = ConfigDict(extra="forbid")

    rule: str
