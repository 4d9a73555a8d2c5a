"""What a captured completion says of the alias that it was asked by, as it is shown."""

from __future__ import annotations

from foundation.document import Document


class CapturedAlias(Document):
    """The alias that a call was made by."""

    name: str
    version: int
    """The version of the alias at that time."""
    target: str
    """The model that the alias chose. Where the request has another one, the fallback answered."""
