"""What an open distillation needs cannot be deleted."""

from __future__ import annotations

from collections.abc import Callable

from distillations.distillation import Distillation
from foundation.errors import Conflict


def refuse_while_needed(needs: Callable[[Distillation], bool], what: str, code: str) -> None:
    """Raises Conflict, with the way out, where an open distillation `needs` what is to be deleted."""
    for distillation in Distillation.open_ones():
        if needs(distillation):
            raise Conflict(
                f"The distillation {distillation.id} is {distillation.status} and needs {what}. "
                f"End it first: POST /v1/distillations/{distillation.id}/cancel",
                code=code,
            )
