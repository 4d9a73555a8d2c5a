"""Retention policies: how many days completions of a filter are kept. The hourly sweep of `capture` enforces them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from api.retried import object_id
from completions.completion import Metadata
from completions.policies import RetentionPolicy
from foundation import http
from foundation.ids import now
from foundation.routes import Routes

router = Routes("Retention policies")
_MOST_DAYS = 36_500


class NewPolicy(BaseModel):
    """What a policy is made of; without a model and metadata it holds for everything."""

    retention_days: int = Field(ge=1, le=_MOST_DAYS, strict=True)
    model: str | None = None
    metadata: Metadata = Field(default_factory=dict)


@router.post("/v1/retention_policies", scope="write")
def create_policy(asked: NewPolicy) -> dict[str, Any]:
    policy = RetentionPolicy(id=object_id(router, "retention_"), created_at=now(), **asked.model_dump())
    policy.create()
    return RetentionPolicy.load(policy.id).public()


@router.get("/v1/retention_policies", scope="read")
def list_policies() -> dict[str, Any]:
    return http.list_of(router, RetentionPolicy, RetentionPolicy.public)


@router.get("/v1/retention_policies/<policy_id>", scope="read")
def retrieve_policy(policy_id: str) -> dict[str, Any]:
    return RetentionPolicy.load(policy_id).public()


@router.delete("/v1/retention_policies/<policy_id>", scope="write")
def delete_policy(policy_id: str) -> dict[str, Any]:
    RetentionPolicy.load(policy_id).remove()
    return {"object": "retention_policy.deleted", "id": policy_id, "deleted": True}
