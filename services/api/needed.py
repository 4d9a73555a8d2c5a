"""Refuse to delete what an open distillation still needs."""

from __future__ import annotations

from collections.abc import Callable

from distillations.distillation import Distillation
from foundation.errors import Conflict


def refuse_while_needed(needs: Callable[[Distillation], bool], noun: str, code: str) -> None:
    """Raises Conflict if an open distillation `needs` the object that is to be deleted; the message says what to do.

    `noun` is what the message calls the object, such as "this eval".
    """
    for distillation in Distillation.open_ones():
        if needs(distillation):
            raise Conflict(
                f"The distillation {distillation.id} is {distillation.status} and needs {noun}. "
                f"End it first: POST /v1/distillations/{distillation.id}/cancel",
                code=code,
            )
