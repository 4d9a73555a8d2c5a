"""Let a distilled model that beats its baseline take the calls of the alias that its distillation names.

In: a distillation and its verdict. Out: a version of the alias, where that asks for it, and an alert that says so and
how to go back. Done twice, it is done once; done late, after a younger verdict has changed the alias or the model was
retired, it is not done.
"""

from __future__ import annotations

from aliases.alias import Alias
from aliases.promotion import BY, made_since, promote
from distillations import lineage
from distillations.distillation import Distillation
from distillations.lineage import Node
from distillations.verdict import Verdict
from notifications.alerts import Alert
from notifications.raising import raise_once
from providers.model_version import ModelVersion

_NEVER = frozenset({"cancelled", "failed"})


def promote_winner(distillation: Distillation) -> None:
    """Change the alias, if the verdict and the alias say so."""
    verdict = Verdict.find(distillation.verdict_id)
    name, model = distillation.alias, distillation.model
    if not name or not model or verdict is None or distillation.status in _NEVER:
        return
    if verdict.outcome != "beats_baseline" or _is_retired(model) or _is_overtaken(name, verdict):
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


def _is_retired(model: str) -> bool:
    version = ModelVersion.find(model)
    return version is not None and version.retired_at is not None


def _is_overtaken(name: str, verdict: Verdict) -> bool:
    """Whether a verdict that is younger than this one has changed the alias already."""
    alias = Alias.find(name)
    versions = made_since(alias, verdict.created_at) if alias else ()
    others = {version.verdict_id for version in versions if version.by == BY} - {None, verdict.id}
    found = (Verdict.find(verdict_id) for verdict_id in others if verdict_id)
    return any(other.created_at > verdict.created_at for other in found if other)
