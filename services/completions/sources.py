"""Captured completions as the rows of a run, a test set or a training set: which of them, and how many.

In: a source of the API, `stored_completions` or `responses`. Out: the completions it selects, in order. A response is
a completion that was captured through the Responses API; conditions on what only its original says are looked at after
it is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Literal

from pydantic import Field, model_validator

from completions import index
from completions.completion import Completion
from completions.filters import Filter


class _Stored(Filter):
    limit: int | None = Field(default=None, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, asked: Any) -> Any:
        """The SDK sends null for what it does not ask."""
        if not isinstance(asked, dict):
            return asked
        return {name: value for name, value in asked.items() if value is not None or name == "has_error"}

    def selects(self, one: Completion) -> bool:  # noqa: ARG002 - the filter has said it all
        """Whether a completion that the filter found is wanted, by its body."""
        return True


class StoredCompletions(_Stored):
    """A filter on captured completions as a source of rows."""

    type: Literal["stored_completions"]


class StoredResponses(_Stored):
    """A filter on captured responses as a source of rows; `tools` are names, of which each must be offered."""

    type: Literal["responses"]
    instructions_search: str | None = None
    reasoning_effort: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    tools: list[str] = Field(default_factory=list)
    users: list[str] = Field(default_factory=list)

    def selects(self, one: Completion) -> bool:
        if one.original is None:
            return False
        asked: dict[str, Any] = one.original["request"]
        told: dict[str, Any] = one.original["response"]

        def said(name: str) -> Any:
            """As the response repeats it, with the provider's defaults, else as it was asked."""
            return asked.get(name) if told.get(name) is None else told[name]

        return (
            (self.instructions_search or "").casefold() in str(said("instructions") or "").casefold()
            and self.reasoning_effort in {None, (said("reasoning") or {}).get("effort")}
            and self.temperature in {None, said("temperature")}
            and self.top_p in {None, said("top_p")}
            and set(self.tools) <= {tool.get("name") or tool.get("type") for tool in said("tools") or []}
            and (not self.users or said("user") in self.users)
        )


def selected(source: StoredCompletions | StoredResponses) -> Iterator[Completion]:
    """The completions of a source, at most its limit, lazily."""
    found = index.completions(source, limit=source.limit if isinstance(source, StoredCompletions) else None)
    return islice((one for one in found if source.selects(one)), source.limit)
