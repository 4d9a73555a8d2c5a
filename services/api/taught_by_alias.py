"""A distillation that names an alias: as its teacher, or as what its model is for.

In: the request. Out: the same with a model as its teacher, since one model teaches, and what it is must not move.
"""

from __future__ import annotations

from aliases.alias import Alias
from api.new_distillation import NewDistillation
from foundation.errors import NotFound


def take_alias(asked: NewDistillation) -> None:
    """Let the model that answers most calls of an alias teach. Raises NotFound where `alias` names none."""
    teaching = Alias.find(asked.teacher)
    if teaching:
        asked.teacher, asked.alias = teaching.routing.main, asked.alias or teaching.id
    if asked.alias and Alias.find(asked.alias) is None:
        raise NotFound(Alias.NAME, asked.alias, param="alias")
