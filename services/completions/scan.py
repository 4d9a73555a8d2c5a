"""The limit of a request that looks through completions: how many, and for how long."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from completions.postings import Reference


class Scan:
    """A limit on the references that one call looks at (`most`) and on its seconds. `at` is the last one looked at."""

    def __init__(self, *, references: int = 200_000, seconds: float = 20.0) -> None:
        self.most = self._left = references
        self._until = time.monotonic() + seconds
        self.at: Reference | None = None
        self.exhausted = False

    def goes_on(self, reference: Reference) -> bool:
        """Whether this reference is within the limit. If it is not, the scan is `exhausted`.

        The first one always is: without it a page could not say where the next one begins.
        """
        self.exhausted = self.at is not None and (self._left <= 0 or time.monotonic() > self._until)
        if not self.exhausted:
            self._left -= 1
            self.at = reference
        return not self.exhausted
