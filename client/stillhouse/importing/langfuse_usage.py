"""Count the tokens of an observation of Langfuse.

In: its usage, whose names differ by who instrumented the application. Langfuse's own convention is that names of one
side add up (`input` and `input_cached_tokens`); Anthropic's names for its cache do not begin with their side; earlier
releases, and applications that pass a provider's usage on, have totals of each side. Out: usage in the chat shape.
"""

from __future__ import annotations

from typing import Any

from stillhouse.importing import chat

_TOTALS = (("prompt_tokens", "completion_tokens"), ("promptTokens", "completionTokens"))


def usage_of(counts: Any) -> dict[str, Any] | None:
    """Return the usage; None unless the tokens of both sides are known."""
    if not isinstance(counts, dict):
        return None
    for asked_name, answered_name in _TOTALS:
        if type(counts.get(asked_name)) is int:
            details = counts.get("prompt_tokens_details")
            of_cache = details.get("cached_tokens") if isinstance(details, dict) else None
            return chat.usage(counts[asked_name], counts.get(answered_name), cached=of_cache)
    known = {name: count for name, count in counts.items() if type(count) is int}
    cached = sum(count for name, count in known.items() if _is_cache(name) and not _is_written(name))
    written = sum(count for name, count in known.items() if _is_written(name))
    output = [count for name, count in known.items() if name.startswith("output")]
    fresh = [count for name, count in known.items() if name.startswith("input") and not _is_cache(name)]
    if not (fresh or cached or written) or not output:
        return None
    answered = sum(output)
    prompt = sum(fresh) + cached + written
    if known.get("total") == sum(fresh) + answered and cached <= sum(fresh):
        # Some instrumentations count what was cached in `input` too; the total tells.
        prompt = sum(fresh)
    return chat.usage(prompt, answered, cached=cached or None)


def _is_cache(name: str) -> bool:
    return "cache" in name and not name.startswith("output")


def _is_written(name: str) -> bool:
    return _is_cache(name) and ("creation" in name or "write" in name)
