"""The message of a chat completion as providers give it, and what they say beside it.

What must hold of them stands here. `completions.messages` reads the message, whose texts, calls and reasoning providers
spell in several ways.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict


class _Kept(BaseModel):
    """An object of which every field is kept."""

    model_config = ConfigDict(extra="allow")


class _Named(_Kept):
    """The tool that a call names."""

    name: str


class _SaidCall(_Kept):
    """A call of a tool."""

    function: _Named | None = None
    custom: _Named | None = None


class SaidMessage(_Kept):
    """The message of a choice."""

    content: str | list[dict[str, Any]] | None = None
    refusal: str | None = None
    annotations: list[dict[str, Any]] | None = None
    tool_calls: list[_SaidCall] | None = None
    function_call: _Named | None = None


def _finite(value: Any) -> Any:
    """A log probability; -9999, which OpenAI gives for what is most unlikely, where a server gives an infinite one."""
    return -9999.0 if value is None else value


class SaidToken(BaseModel):
    """A token with its log probability."""

    token: str
    logprob: Annotated[float, BeforeValidator(_finite)] = -9999.0
    bytes: Annotated[list[int], BeforeValidator(lambda value: value or [])] = []


class SaidTokens(SaidToken):
    """A token of the answer, with those that were likely in its place."""

    top_logprobs: Annotated[list[SaidToken], BeforeValidator(lambda value: value or [])] = []


class SaidLogprobs(BaseModel):
    """The log probabilities of a choice."""

    content: list[SaidTokens] | None = None


class SaidCitation(BaseModel):
    """A citation of a web page. Servers that are not OpenAI leave out what the page is called and where it is cited."""

    url: str
    title: Annotated[str, BeforeValidator(lambda value: value or "")] = ""
    start_index: int = 0
    end_index: int = 0
