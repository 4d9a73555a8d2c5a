"""What a captured completion says of the alias that it was asked by, as it is shown."""

from __future__ import annotations

from foundation.document import Document


class FirstAsked(Document):
    """The call of a cascade's target whose answer was not kept. Its tokens are null where the provider told none."""

    model: str
    """Its name at its provider."""
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    latency_ms: int | None = None
    """How long it took; the completion's own latency has it, too."""


class CapturedCascade(Document):
    """What came of a cascade: whether the target's answer was kept."""

    to: str
    """The model that answers what the target is not sure of."""
    by: str
    """What says how sure the target is."""
    threshold: float
    """An answer this sure, or surer, is kept."""
    confidence: float | None = None
    """How sure the target was; null where it gave no answer, or nobody can say."""
    kept: bool
    """Whether the target's answer was given, also where it was not sure and `to` gave none."""
    first_asked: FirstAsked | None = None
    """The target's call, which was paid for besides; null where its answer was kept, or it gave none."""


class CapturedAlias(Document):
    """The alias that a call was made by."""

    name: str
    version: int
    """The version of the alias at that time."""
    target: str
    """The model that the alias chose. Where the request has another one, the fallback answered, or the model that the
    cascade asks what the target is not sure of."""
    cascade: CapturedCascade | None = None
    """What came of the target's cascade; null where it has none."""
