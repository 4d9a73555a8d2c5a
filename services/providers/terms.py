"""Whether a provider's terms let its answers train another model, as the owner of the stack has noted it."""

from __future__ import annotations

from typing import Literal

from foundation.document import Document

type Trains = Literal["yes", "no", "unknown"]


class TeacherTerms(Document):
    """What is noted of the terms of a teacher's provider."""

    provider: str
    """The name of the provider that serves the teacher."""
    trains_others: Trains
    """Whether its answers may train another model."""
    note: str | None = None
    """Why, or where that stands."""

    @property
    def reasons(self) -> list[str]:
        """What speaks against training: a sentence where the terms say no."""
        if self.trains_others != "no":
            return []
        return [f"By its terms, answers of the teacher's provider {self.provider} train no other model{self._why}"]

    @property
    def warnings(self) -> list[str]:
        """What to look at before training: a sentence where nobody has noted the terms."""
        if self.trains_others != "unknown":
            return []
        told = f"answers of the teacher's provider {self.provider} may train another model, by its terms"
        return [f"Nobody has noted whether {told}{self._why}"]

    @property
    def _why(self) -> str:
        return f": {self.note}" if self.note else "."
