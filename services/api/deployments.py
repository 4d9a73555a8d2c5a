"""Deployments: the trained models that answer, what each costs while nobody asks it, and when it was last asked.

`DELETE /v1/models/{model}` retires one.
"""

from __future__ import annotations

from itertools import islice
from typing import Any, Literal

from distillations import idle
from distillations.lost import lost_at
from distillations.trainers import IdleCost
from distillations.verdict import Decision, Verdict
from foundation import http, table
from foundation.document import Document
from foundation.ids import derived_id
from foundation.routes import PAGE, Routes
from providers import prices
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
    distillation_id: str | None = None
    """The distillation that made it; null where a person named it, or it was trained by itself."""
    dataset_id: str | None = None
    """What it was trained on."""
    outcome: Decision | None = None
    """Its verdict's; null where it has none."""
    sentence: str = ""
    """The verdict in one line."""
    usd_per_million: tuple[float, float] | None = None
    """What a million tokens cost of what it is asked, and of what it answers; null where no price list says so."""
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
    found = list(islice(versions, limit + 1))
    verdicts = _verdicts(found)
    return http.listed((_shown(version, verdicts.get(version.distillation_id or "")) for version in found), limit)


def _verdicts(versions: list[ModelVersion]) -> dict[str, Verdict]:
    """The verdicts about these models, by distillation."""
    keys = {
        (Verdict.KIND, derived_id("verdict_", version.distillation_id)): version.distillation_id
        for version in versions
        if version.distillation_id
    }
    return {keys[key]: Verdict.from_row(row) for key, row in table.get_all(keys).items()}


def _shown(version: ModelVersion, about: Verdict | None) -> Deployment:
    # Of several models of a distillation, the verdict is about the chosen one.
    verdict = about if about and about.scores["distilled"].model == version.id else None
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
        distillation_id=version.distillation_id,
        dataset_id=version.dataset_id,
        outcome=verdict.outcome if verdict else None,
        sentence=verdict.sentence if verdict else "",
        usd_per_million=prices.per_million(version.id),
        lost_at=lost_at(version),
        keep=version.keep,
    )
