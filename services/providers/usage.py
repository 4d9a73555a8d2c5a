"""What a model was asked and answered, in tokens."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


class ModelUsage(BaseModel):
    """What one model was asked and answered in a run; apart what came through the Batch API."""

    model_name: str
    batch: bool = False
    invocation_count: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    cached_tokens: int = 0

    def add(self, usage: dict[str, Any], *, calls: int = 1) -> None:
        self.invocation_count += calls
        for name in ("prompt_tokens", "completion_tokens", "total_tokens"):
            setattr(self, name, getattr(self, name) + int(usage.get(name) or 0))
        self.cached_tokens += cached_tokens(usage)


def cached_tokens(usage: dict[str, Any]) -> int:
    """The part of the prompt that was read from the provider's cache: of a call's usage, or of a sum."""
    details = usage.get("prompt_tokens_details") or {}
    return int(usage.get("cached_tokens") or details.get("cached_tokens") or 0)
