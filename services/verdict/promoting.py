"""Let a distilled model that beats its baseline take the calls of the alias that its distillation names.

In: a distillation and its verdict. Out: a version of the alias, where that asks for it, and an alert that says so and
how to go back. Done twice, it is done once.
"""

from __future__ import annotations

from aliases.promotion import promote
from distillations import lineage
from distillations.distillation import Distillation
from distillations.lineage import Node
from distillations.verdict import Verdict
from notifications.alerts import Alert
from notifications.raising import raise_once

_NEVER = frozenset({"cancelled", "failed"})


def promote_winner(distillation: Distillation) -> None:
    """Change the alias, if the verdict and the alias say so."""
    verdict = Verdict.find(distillation.verdict_id)
    name, model = distillation.alias, distillation.model
    if not name or not model or verdict is None or distillation.status in _NEVER:
        return
    if verdict.outcome != "beats_baseline":
        return
    made = promote(name, model, verdict_id=verdict.id, decided_at=verdict.created_at, why=verdict.sentence)
    if made is None:
        return
    lineage.link((source, Node("alias", name)) for source in (Node("model", model), Node("verdict", verdict.id)))
    raise_once(
        Alert.of(
            "alias.promoted",
            name,
            verdict.id,
            sentence=f"The alias {name} points at {model} now: it beats its baseline.",
            lines=[
                verdict.sentence,
                f"To go back: stillhouse alias rollback {name}, or POST /v1/aliases/{name}/rollback.",
            ],
        )
    )
