"""The usage of a model, in tokens."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel

from foundation.bounds import CutName
from foundation.token_counts import whole_prompt

_MOST_TOKENS = 1 << 53
_MOST_SUMMED = (1 << 63) - 1


def _in_64_bits(tokens: int) -> int:
    return min(tokens, _MOST_SUMMED)


TokenSum = Annotated[int, AfterValidator(_in_64_bits)]
"""Tokens of many calls together. A sum ends at 2^63 - 1, where readers and writers of JSON end."""


class ModelUsage(BaseModel):
    """The usage of one model in a run. Calls through the Batch API are summed apart, with `batch` true."""

    model_name: CutName
    batch: bool = False
    invocation_count: int = 0
    prompt_tokens: TokenSum = 0
    completion_tokens: TokenSum = 0
    total_tokens: TokenSum = 0
    cached_tokens: TokenSum = 0

    @property
    def counted(self) -> bool:
        """Whether the provider said what its calls took; no calls take nothing."""
        return not self.invocation_count or self.prompt_tokens + self.completion_tokens > 0

    def add(self, usage: dict[str, Any]) -> None:
        """Add the usage of one call, as a provider gives it."""
        cached = cached_tokens(usage)
        prompt = whole_prompt(tokens(usage.get("prompt_tokens")), cached)
        answer = tokens(usage.get("completion_tokens"))
        # A total of 0 is one that the provider does not give.
        total = tokens(usage.get("total_tokens"))
        self.merge(
            ModelUsage(
                model_name="",
                invocation_count=1,
                prompt_tokens=prompt,
                completion_tokens=answer,
                total_tokens=max(total, prompt + answer) if total else 0,
                cached_tokens=cached,
            )
        )

    def merge(self, other: ModelUsage) -> None:
        """Add what other calls of the model have together."""
        self.invocation_count += other.invocation_count
        for name in ("prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens"):
            setattr(self, name, _in_64_bits(getattr(self, name) + getattr(other, name)))


def cached_tokens(usage: dict[str, Any]) -> int:
    """The prompt tokens that the provider read from its cache, in the usage of one call or of many."""
    return tokens(usage.get("cached_tokens")) or _detail(usage, "prompt_tokens_details", "cached_tokens")


def reasoning_tokens(usage: dict[str, Any]) -> int:
    """The tokens of an answer that the model thought with before it answered."""
    return _detail(usage, "completion_tokens_details", "reasoning_tokens")


def _detail(usage: dict[str, Any], details: str, name: str) -> int:
    of_part = usage.get(details)
    return tokens(of_part.get(name)) if isinstance(of_part, dict) else 0


def tokens(value: Any) -> int:
    """A provider's token count; 0 for anything that is no number between 0 and 2^53."""
    return int(value) if type(value) in {int, float} and 0 <= value <= _MOST_TOKENS else 0
