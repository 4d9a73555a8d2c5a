"""A captured response by its id, also before the recorder has written it."""

from __future__ import annotations

from completions import index, recent
from completions.completion import Completion


def captured(response_id: str) -> Completion | None:
    """The completion with this id; None if there is none or if it was deleted."""
    reference = index.find(response_id)
    if reference is not None:
        return next(index.read([reference]), None)
    # It was deleted, or it is too young to be in the index.
    return None if index.gone([response_id]) else recent.find(response_id)
