"""The choice of a chat completion as providers give it: what OpenAI has, and what others add.

Reasoning comes as `reasoning_content` (DeepSeek, vLLM), as `reasoning` (OpenRouter, Groq), or as a part of the content
(Mistral). A content may be a list of parts. Arguments of a call may be an object where OpenAI has a text.
"""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from pydantic import BaseModel, BeforeValidator


def _as_text(value: Any) -> Any:
    return orjson.dumps(value).decode() if isinstance(value, dict | list) else value or ""


def _text_or_none(value: Any) -> Any:
    return value if isinstance(value, str) else None


type _Written = Annotated[str, BeforeValidator(_as_text)]


class SaidFunction(BaseModel):
    """The function of a call."""

    name: str
    arguments: _Written = ""


class SaidCustom(BaseModel):
    """The custom tool of a call."""

    name: str
    input: _Written = ""


class SaidCall(BaseModel):
    """A call of a tool."""

    id: str | None = None
    function: SaidFunction | None = None
    custom: SaidCustom | None = None


class SaidMessage(BaseModel):
    """The message of a choice."""

    content: str | list[dict[str, Any]] | None = None
    refusal: str | None = None
    annotations: list[dict[str, Any]] | None = None
    tool_calls: list[SaidCall] | None = None
    function_call: SaidFunction | None = None
    reasoning_content: Annotated[str | None, BeforeValidator(_text_or_none)] = None
    reasoning: Annotated[str | None, BeforeValidator(_text_or_none)] = None

    @property
    def text(self) -> str:
        """What is said to the user."""
        if isinstance(self.content, list):
            return "".join(_text_of(part, "text") for part in self.content)
        return self.content or ""

    @property
    def thoughts(self) -> str:
        """The reasoning, empty without any."""
        parts = self.content if isinstance(self.content, list) else []
        return self.reasoning_content or self.reasoning or "".join(_text_of(part, "thinking") for part in parts)


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
    title: Annotated[str, BeforeValidator(_as_text)] = ""
    start_index: int = 0
    end_index: int = 0


class Choice(BaseModel):
    """A choice of a chat completion."""

    message: SaidMessage | None = None
    finish_reason: str | None = None
    logprobs: SaidLogprobs | None = None


def _text_of(part: dict[str, Any], kind: str) -> str:
    """The text of a part of this kind. Mistral's thinking is itself a list of parts."""
    if part.get("type") != kind:
        return ""
    inner = part.get(kind)
    if isinstance(inner, list):
        return "".join(_text_of(piece, "text") for piece in inner if isinstance(piece, dict))
    return inner if isinstance(inner, str) else ""
