"""The usage of a model, in tokens."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from foundation.bounds import CutName

_MOST_TOKENS = 1 << 53


class ModelUsage(BaseModel):
    """The usage of one model in a run. Calls through the Batch API are summed apart, with `batch` true."""

    model_name: CutName
    batch: bool = False
    invocation_count: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    cached_tokens: int = 0

    @property
    def counted(self) -> bool:
        """Whether the provider said what its calls took; no calls take nothing."""
        return not self.invocation_count or self.prompt_tokens + self.completion_tokens > 0

    def add(self, usage: dict[str, Any], *, calls: int = 1) -> None:
        self.invocation_count += calls
        for name in ("prompt_tokens", "completion_tokens", "total_tokens"):
            setattr(self, name, getattr(self, name) + _tokens(usage.get(name)))
        self.cached_tokens += cached_tokens(usage)


def cached_tokens(usage: dict[str, Any]) -> int:
    """The prompt tokens that the provider read from its cache, in the usage of one call or of many."""
    details = usage.get("prompt_tokens_details")
    of_prompt = details.get("cached_tokens") if isinstance(details, dict) else None
    return _tokens(usage.get("cached_tokens")) or _tokens(of_prompt)


def _tokens(value: Any) -> int:
    """A provider's token count; 0 for anything that is no number between 0 and 2^53."""
    return int(value) if type(value) in {int, float} and 0 <= value <= _MOST_TOKENS else 0
