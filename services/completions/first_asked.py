"""The call of a cascade whose answer was not kept, in the index: it costs, although it is no completion."""

from __future__ import annotations

from typing import Any, NamedTuple


class FirstAsked(NamedTuple):
    """Its model and its tokens; None for a count that the provider does not give."""

    model: str
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None

    @classmethod
    def of(cls, alias: dict[str, Any] | None) -> FirstAsked | None:
        """That of a captured completion's alias."""
        asked = ((alias or {}).get("cascade") or {}).get("first_asked")
        return cls(*(asked.get(field) for field in cls._fields)) if asked else None
