"""An alias, and a version of one, as the API shows them.

An application's wrapper asks the models by itself: so each target says where it answers, and by which name there.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from aliases.alias import Alias, Cascade, CascadeBy, PromoteOn, StickyBy, When
from foundation.document import Document
from providers import ProviderRefused, registry

_SHOWN = ("version", "by", "why", "verdict_id", "rolled_back_to", "sticky_by", "fallback", "promote_on")


class Place(Document):
    """Where a model answers."""

    model: str
    """Its name, as it is asked for here."""
    provider: str | None
    """Who serves it; null where nobody does, or it is retired."""
    base_url: str | None
    """Where that is, for a server of OpenAI's API; null for the kinds of AWS."""
    model_there: str | None
    """Its name at its provider."""


class CascadeDocument(Document):
    """Who answers what a target is not sure of."""

    to: str
    """The model that is asked then."""
    by: CascadeBy
    """What says how sure the target is."""
    threshold: float
    """An answer this sure, or surer, is kept."""
    place: Place
    """Where that model answers."""


class TargetDocument(Place):
    """A model that answers a share of the calls."""

    weight: int
    """Its share, beside the weights of the targets with the same `when`."""
    when: When
    """The metadata that a call must have."""
    cascade: CascadeDocument | None
    """Who answers what it is not sure of; null where it answers all of its calls."""


class AliasChange(Document):
    """Who changed an alias, and what it says since then. Times are in seconds since the epoch."""

    version: int
    """Counts the changes, from 1."""
    by: str
    """The id of a key, or `verdict` where a verdict changed it by itself."""
    why: str | None
    verdict_id: str | None
    """The verdict behind it."""
    rolled_back_to: int | None
    """The version whose targets it took again."""
    sticky_by: StickyBy | None
    fallback: str | None
    """The model that is asked where the provider of the chosen one is away."""
    promote_on: PromoteOn | None


class AliasDocument(AliasChange):
    """An alias in its current version."""

    id: str
    """Its name."""
    object: Literal["alias"] = "alias"
    created_at: int
    updated_at: int
    """When this version was made."""
    salt: str
    """The key of the hash that chooses: it stays, so nobody changes sides while a weight grows."""
    targets: list[TargetDocument]
    fallback_place: Place | None
    """Where the fallback answers; null without one."""


class PlainTarget(Document):
    """A target as a version kept it."""

    model: str
    weight: int
    when: When
    cascade: Cascade | None


class AliasVersion(AliasChange):
    """A version of an alias."""

    id: str
    """The alias and its version: `quick-reply@3`, as headers and captured completions say it."""
    object: Literal["alias.version"] = "alias.version"
    alias: str
    created_at: int
    deleted: bool = Field(default=False)
    """Whether the alias was deleted by it."""
    targets: list[PlainTarget]


def alias_document(alias: Alias) -> AliasDocument:
    """The alias, with where its models answer now."""
    return AliasDocument(
        id=alias.id,
        created_at=alias.created_at,
        updated_at=alias.updated_at,
        salt=alias.salt,
        targets=[
            TargetDocument(
                **_place(target.model), weight=target.weight, when=target.when, cascade=_cascade(target.cascade)
            )
            for target in alias.targets
        ],
        fallback_place=Place(**_place(alias.fallback)) if alias.fallback else None,
        **_shown(alias),
    )


def version_document(version: Alias) -> AliasVersion:
    """The version as it was."""
    return AliasVersion(
        id=version.label,
        alias=version.id,
        created_at=version.updated_at,
        deleted=version.deleted,
        targets=[PlainTarget(**target.model_dump()) for target in version.targets],
        **_shown(version),
    )


def _shown(alias: Alias) -> dict[str, Any]:
    return {name: getattr(alias, name) for name in _SHOWN}


def _cascade(cascade: Cascade | None) -> CascadeDocument | None:
    return CascadeDocument(**cascade.model_dump(), place=Place(**_place(cascade.to))) if cascade else None


def _place(model: str) -> dict[str, Any]:
    try:
        route = registry.providers().resolve(model)
    except ProviderRefused:
        return {"model": model, "provider": None, "base_url": None, "model_there": None}
    known = next((known for known in registry.configured() if known.name == route.name), None)
    base_url = known.entry.base_url if known and known.entry.kind == "openai" else None
    return {"model": model, "provider": route.name, "base_url": base_url, "model_there": route.model}
