"""What a cascade would do, as a verdict says it: the teacher answers what the distilled model is not sure of."""

from __future__ import annotations

from aliases.alias import Cascade, CascadeBy
from evals.figures import PassRate
from foundation.document import Document


class CascadeTarget(Document):
    """A target of an alias that is this cascade: one of the `targets` of `PUT /v1/aliases/{name}`."""

    model: str
    cascade: Cascade


class CascadeFigures(Document):
    """A cascade by one source of how sure the model is, calibrated on the rows of the verdict.

    All figures are of the rows that it was calibrated on. They are null where nothing can be promised.
    """

    by: CascadeBy
    """What says how sure the distilled model is of an answer."""
    rows: int
    """The rows that teacher and distilled model graded; of rows that belong together one, drawn by chance."""
    known: int
    """Those of them of which it is known how sure the model was. The others count as sent on."""
    why_none: str | None
    """Why nothing can be promised; null where something is."""
    threshold: float | None
    """An answer this sure, or surer, is kept."""
    kept: int | None
    """The rows whose answer is kept."""
    share: float | None
    """`kept / rows`."""
    loss: float | None
    """How much more often the cascade failed than the teacher alone: a share of the rows, negative where it won."""
    passed: PassRate | None
    """The rows that the cascade passed."""
    usd_per_1000: float | None
    """What a thousand calls cost, in US dollars: all ask the distilled model, and those that are not kept the teacher,
    too. Null where a price or the usage is not known."""
    target: CascadeTarget | None
    """What makes an alias use it."""


class CascadePart(Document):
    """What a cascade of the distilled model and the teacher would do.

    With the probability `confidence` a cascade with this threshold fails at most `margin` more often than the teacher
    alone, in the mean over calls like these rows.
    """

    margin: float
    """The most that it may fail more often: the gate's `margin`."""
    confidence: float
    """How certain that is."""
    teacher_usd_per_1000: float | None
    """What a thousand calls of the teacher alone cost."""
    distilled_usd_per_1000: float | None
    """What a thousand calls of the distilled model alone cost."""
    sources: list[CascadeFigures]
    """A cascade by each source that is known."""
