"""Captured completions as the rows of a run, a test set or a training set: which of them, and how many.

In: a source of the API, `stored_completions` or `responses`. Out: the completions it selects, in order. A response is
a completion that was captured through the Responses API; conditions on fields that only its original has are checked
after its body is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Literal, NamedTuple

from pydantic import Field, model_validator

from completions import index
from completions.completion import Completion
from completions.filters import Filter

# What a refusal says where a filter selects nothing: the call is not there yet, or its tags never arrived.
WHERE_TO_LOOK = "A call is listed some seconds after it; GET /v1/chat/completions shows what there is, with its tags."


class _Stored(Filter):
    limit: int | None = Field(default=None, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, asked: Any) -> Any:
        """Drop conditions that are null, which the SDK sends for those that the caller did not give."""
        if not isinstance(asked, dict):
            return asked
        return {name: value for name, value in asked.items() if value is not None or name == "has_error"}

    def selects(self, completion: Completion) -> bool:  # noqa: ARG002 - the filter has looked at everything
        """Whether a completion that meets the filter also meets the conditions that need its body."""
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

    def selects(self, completion: Completion) -> bool:
        if completion.original is None:
            return False
        captured = _CapturedResponse(completion.original["request"], completion.original["response"])
        wanted = [
            (self.reasoning_effort, captured.reasoning_effort()),
            (self.temperature, captured.field("temperature")),
            (self.top_p, captured.field("top_p")),
        ]
        if any(value is not None and value != actual for value, actual in wanted):
            return False
        if self.users and captured.field("user") not in self.users:
            return False
        offered = captured.tools()
        if any(tool not in offered for tool in self.tools):
            return False
        return (self.instructions_search or "").casefold() in str(captured.field("instructions") or "").casefold()


class _CapturedResponse(NamedTuple):
    """A response as it was captured, whose fields were not validated."""

    request: dict[str, Any]
    response: dict[str, Any]

    def field(self, name: str) -> Any:
        """A field of the response, which has the provider's defaults too; else the field of the request."""
        repeated = self.response.get(name)
        return self.request.get(name) if repeated is None else repeated

    def reasoning_effort(self) -> Any:
        reasoning = self.field("reasoning")
        return reasoning.get("effort") if isinstance(reasoning, dict) else None

    def tools(self) -> list[Any]:
        """The tools that were offered, by name, or by type where they have none."""
        tools = self.field("tools")
        if not isinstance(tools, list):
            return []
        return [tool.get("name") or tool.get("type") for tool in tools if isinstance(tool, dict)]


def selected(source: StoredCompletions | StoredResponses) -> Iterator[Completion]:
    """The completions of a source, at most its limit, lazily."""
    matching = index.completions(source, limit=source.limit if isinstance(source, StoredCompletions) else None)
    return islice((completion for completion in matching if source.selects(completion)), source.limit)
