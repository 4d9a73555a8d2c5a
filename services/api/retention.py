"""Retention policies: how many days completions of a filter are kept. The hourly sweep of `capture` enforces them."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from api.retried import object_id
from completions.completion import Metadata
from completions.policies import RetentionPolicy
from foundation import http
from foundation.bounds import Name
from foundation.document import Body, Deleted
from foundation.errors import ApiError
from foundation.ids import now
from foundation.routes import PAGE, Routes

router = Routes("Retention policies")
_MOST_DAYS = 36_500


class NewPolicy(Body):
    """A policy to be made: for a model, for tags, for both, or in so many words for everything."""

    retention_days: int = Field(ge=1, le=_MOST_DAYS, strict=True)
    """After how many days completions are deleted."""
    model: Name | None = None
    """The model whose completions it is about."""
    metadata: Metadata = Field(default_factory=dict)
    """The tags that these completions have."""
    all: bool = Field(default=False, strict=True)
    """True for a policy over every completion, which then names neither a model nor tags."""


@router.post("/v1/retention_policies", scope="write")
def create_policy(asked: NewPolicy) -> RetentionPolicy:
    """Create a retention policy, which is enforced every hour."""
    _check_scope(asked)
    policy = RetentionPolicy(id=object_id(router, "retention_"), created_at=now(), **asked.model_dump())
    policy.create()
    return RetentionPolicy.load(policy.id)


def _check_scope(asked: NewPolicy) -> None:
    """Raises ApiError unless the policy names completions by model or tags, or says that it is over all of them."""
    scoped = bool(asked.model or asked.metadata)
    if asked.all and scoped:
        message = "Invalid 'all': it is true for a policy over everything, without a model or metadata."
        raise ApiError(message, code="invalid_value", param="all")
    if not asked.all and not scoped:
        message = 'Say which completions are deleted: a model, metadata, or "all": true for every one.'
        raise ApiError(message, code="missing_required_parameter", param="all")


@router.get("/v1/retention_policies", scope="read", lists=RetentionPolicy, query=PAGE)
def list_policies() -> dict[str, Any]:
    """List retention policies."""
    return http.list_of(router, RetentionPolicy, lambda policy: policy)


@router.get("/v1/retention_policies/<policy_id>", scope="read")
def retrieve_policy(policy_id: str) -> RetentionPolicy:
    """Retrieve a retention policy."""
    return RetentionPolicy.load(policy_id)


@router.delete("/v1/retention_policies/<policy_id>", scope="write")
def delete_policy(policy_id: str) -> Deleted:
    """Delete a retention policy; what it has deleted stays deleted."""
    RetentionPolicy.load(policy_id).remove()
    return Deleted(id=policy_id, object="retention_policy.deleted")
