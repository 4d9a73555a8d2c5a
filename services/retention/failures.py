"""Collect the errors of a sweep, which goes on with the rest and raises them together at its end, for its alarm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from foundation.consumer import logger


class Failures:
    """The errors of one sweep. Each is logged once, with what failed."""

    def __init__(self) -> None:
        self._errors: list[Exception] = []

    @contextmanager
    def kept(self, subject: str) -> Iterator[None]:
        """Keep an error of the block instead of raising it. `subject` names for the log what the block works on."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - one failure must not stop the sweep of all others
            self.add([(subject, error)])

    def add(self, failed: Iterable[tuple[str, Exception]]) -> None:
        """Keep these errors, each with the name of the subject that it stopped the work on."""
        for subject, error in failed:
            logger().error("not swept", extra={"subject": subject}, exc_info=error)
            self._errors.append(error)

    def raise_any(self) -> None:
        """Raise an ExceptionGroup of all errors that were kept, if there are any."""
        if self._errors:
            raise ExceptionGroup("A part of the sweep failed; the rest was done.", self._errors)
