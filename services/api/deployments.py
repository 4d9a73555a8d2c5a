"""Deployments: the trained models that answer, what each costs while nobody asks it, and when it was last asked.

`DELETE /v1/models/{model}` retires one.
"""

from __future__ import annotations

from itertools import islice
from typing import Any, Literal

from distillations import idle
from distillations.lost import lost_at
from distillations.trainers import IdleCost
from foundation import http
from foundation.document import Document
from foundation.routes import PAGE, Routes
from providers.last_asked import last_asked
from providers.model_version import ModelVersion
from providers.routing import DEFAULT

router = Routes("Deployments")


class Deployment(Document):
    """A trained model that is not retired. Times are in seconds since the epoch."""

    id: str
    """The model's name."""
    object: Literal["deployment"] = "deployment"
    created_at: int
    base: str
    trainer: str
    """Who trained it; empty where a person named it."""
    provider: str
    """Who serves it."""
    idle_cost: IdleCost
    """What it costs while nobody asks it."""
    usd_per_hour: float | None
    """What an hour of it costs; 0 where it costs nothing, null where no price list says so."""
    usd_per_month: float | None
    """The same for 730 hours."""
    last_asked_at: int | None
    """To ten minutes; null if it never was."""
    lost_at: int | None
    """When it lost its verdict; null if it did not."""
    keep: bool
    """Whether it is kept though it lost."""


@router.get("/v1/deployments", scope="read", lists=Deployment, query=PAGE)
def list_deployments() -> dict[str, Any]:
    """List the trained models that answer, with what they cost while nobody asks. Retired ones are left out."""
    limit = http.limit_of(router)
    after, descending = http.query_of(router, "after"), http.descending(router)
    versions = (version for version in ModelVersion.every(after=after, descending=descending) if not version.retired_at)
    return http.listed((_shown(version) for version in islice(versions, limit + 1)), limit)


def _shown(version: ModelVersion) -> Deployment:
    return Deployment(
        id=version.id,
        created_at=version.created_at,
        base=version.base,
        trainer=version.trainer,
        provider=version.provider or DEFAULT,
        idle_cost=idle.idle_cost(version),
        usd_per_hour=idle.usd_per_hour(version),
        usd_per_month=idle.usd_per_month(version),
        last_asked_at=last_asked(version.id),
        lost_at=lost_at(version),
        keep=version.keep,
    )
