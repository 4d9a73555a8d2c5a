"""Why something ended without a result."""

from __future__ import annotations

from foundation.bounds import CutName, CutText
from foundation.document import Document


class Failure(Document):
    """A `code` that programs tell failures apart by, and a `message` for people that names the remedy."""

    code: CutName
    message: CutText
