"""The one check through which every imported completion goes before it is pushed.

In: a record of any importer. Out: the record. What is no chat raises Unmapped, which names the field and never its
content. Three things are mended and noted: counts of tokens that contradict each other are left out, so is a latency
that none can be, and so is the reasoning that models with open weights write before their answer. A record of the
Responses API, and one of a failed call, is left to Stillhouse's own check.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    model_validator,
)

from stillhouse.importing.record import Record
from stillhouse.importing.source import Unmapped

_URL = re.compile(r"(https?|gs|s3)://\S+|data:[\w.+-]+/[\w.+-]+(;[\w=.+-]+)*,", re.IGNORECASE)
_LATENCY_END = 1 << 53
_TOKENS_END = (1 << 53) + 1
"""Stillhouse takes no latency and no count from these on."""
_REASONING = (
    # As Bedrock writes it, and as the model does where nobody reads its channels.
    (
        re.compile(r"gpt-oss", re.IGNORECASE),
        re.compile(
            r"\s*(<reasoning>.*?</reasoning>|<\|channel\|>analysis<\|message\|>.*?<\|channel\|>final<\|message\|>)\s*",
            re.DOTALL,
        ),
    ),
    # The template of some begins the answer with the first tag, so that only the last one is in it.
    (
        re.compile(r"deepseek|qwen|qwq|glm|minimax", re.IGNORECASE),
        re.compile(r"(\s*<think>.*?|((?!<think>).)*?)</think>\s*", re.DOTALL),
    ),
)
"""Models by name, and what they write before their answer where nothing takes it off, as Bedrock does not."""


_ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})


def _is_role(role: str) -> str:
    if role not in _ROLES:
        raise ValueError("no role of a chat")
    return role


def _is_url(url: str) -> str:
    if not _URL.match(url):
        raise ValueError("no URL")
    return url


class _Link(BaseModel):
    url: Annotated[str, AfterValidator(_is_url)]


class _Text(BaseModel):
    text: str


class _Image(BaseModel):
    """Some clients write the address itself in the place of an object with it."""

    image_url: Annotated[_Link, BeforeValidator(lambda image: {"url": image} if isinstance(image, str) else image)]


class _Sound(BaseModel):
    class _Data(BaseModel):
        data: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/=_\s-]*$")]

    input_audio: _Data


class _File(BaseModel):
    file: dict[str, Any]


class _Refusal(BaseModel):
    refusal: str


class _Aside(BaseModel):
    """What models put beside their text: thoughts, and references to what they read."""


_ASIDES = frozenset({"thinking", "redacted_thinking", "reasoning", "reference"})


def _kind(part: Any) -> Any:
    kind = part.get("type") if isinstance(part, dict) else None
    return "aside" if isinstance(kind, str) and kind in _ASIDES else kind


type _Part = Annotated[
    Annotated[_Text, Tag("text")]
    | Annotated[_Image, Tag("image_url")]
    | Annotated[_Sound, Tag("input_audio")]
    | Annotated[_File, Tag("file")]
    | Annotated[_Refusal, Tag("refusal")]
    | Annotated[_Aside, Tag("aside")],
    Discriminator(_kind, custom_error_type="part", custom_error_message="not a part of a chat"),
]


class _Function(BaseModel):
    """Local servers write arguments as an object."""

    name: Annotated[str, Field(min_length=1)]
    arguments: str | dict[str, Any]


class _Custom(BaseModel):
    name: Annotated[str, Field(min_length=1)]
    input: str


class _Call(BaseModel):
    id: str | None = None
    function: _Function | None = None
    custom: _Custom | None = None

    @model_validator(mode="after")
    def _calls_something(self) -> _Call:
        if (self.function is None) == (self.custom is None):
            raise ValueError("no call of a tool")
        return self


class _Message(BaseModel):
    role: Annotated[str, AfterValidator(_is_role)]
    content: str | list[_Part] | None = None
    tool_calls: list[_Call] | None = None
    function_call: _Function | None = None
    tool_call_id: str | None = None

    @model_validator(mode="after")
    def _says_something(self) -> _Message:
        if self.role not in ("assistant", "function") and self.content is None:
            raise ValueError("without content")
        if self.role == "tool" and not self.tool_call_id:
            raise ValueError("a tool's result without tool_call_id")
        return self


class _Answer(_Message):
    """The message of an answer. Some providers leave out its role, which can only be the assistant's."""

    role: Annotated[str, BeforeValidator(lambda role: role or "assistant"), AfterValidator(_is_role)] = "assistant"


class _Choice(BaseModel):
    message: _Answer
    finish_reason: str | None = None


class _Request(BaseModel):
    model: Annotated[str, Field(min_length=1)]
    messages: Annotated[list[_Message], Field(min_length=1)]
    tools: list[dict[str, Any]] | None = None
    functions: list[dict[str, Any]] | None = None


class _Response(BaseModel):
    choices: Annotated[list[_Choice], Field(min_length=1)]


type _Count = Annotated[int, Field(strict=True, ge=0, lt=_TOKENS_END)]


class _PromptDetails(BaseModel):
    cached_tokens: _Count | None = None


class _Usage(BaseModel):
    prompt_tokens: _Count | None = None
    completion_tokens: _Count | None = None
    total_tokens: _Count | None = None
    prompt_tokens_details: _PromptDetails | None = None

    @model_validator(mode="after")
    def _adds_up(self) -> _Usage:
        prompt = self.prompt_tokens or 0
        cached = (self.prompt_tokens_details and self.prompt_tokens_details.cached_tokens) or 0
        if cached > prompt or (self.total_tokens is not None and prompt > self.total_tokens):
            raise ValueError("a part larger than its whole")
        return self


class _Chat(BaseModel):
    request: _Request
    response: _Response


def validated(record: Record) -> Record:
    """Return the record if it is a chat. Raises Unmapped."""
    if isinstance(record.latency_ms, int) and not 0 <= record.latency_ms < _LATENCY_END:
        # Clocks differ: a call may end before it began.
        record.notes.append("latency_ms: none that can be, left out")
        record.latency_ms = None
    response = record.response
    is_response = response.get("object") == "response" or ("output" in response and "choices" not in response)
    if is_response or (response.get("error") and not response.get("choices")):
        return record
    try:
        _Chat.model_validate({"request": record.request, "response": response})
    except ValidationError as error:
        raise Unmapped(_reason(error)) from None
    record.response = {**response, "choices": [_without_reasoning(record, choice) for choice in response["choices"]]}
    record.request = {**record.request, "messages": [_bare(record, each) for each in record.request["messages"]]}
    if "usage" in response and not _is_sound(response["usage"]):
        record.notes.append("usage: counts that contradict each other, left out")
        del record.response["usage"]
    return record


def _reason(error: ValidationError) -> str:
    """Say what is wrong, by the names of fields alone: reasons are counted, so they have no positions.

    Content may be a text or parts. Of what is wrong with it as either the error that lies deepest is meant.
    """
    errors = error.errors(include_url=False, include_input=False, include_context=False)
    deepest = max(errors, key=lambda each: len(each["loc"]))
    names = [part for part in deepest["loc"] if isinstance(part, str) and part.isidentifier() and part != "str"]
    path = ".".join(name for name, _ in groupby(names))
    return f"{path}: {deepest['msg'].removeprefix('Value error, ')}"


def _is_sound(usage: Any) -> bool:
    """Whether the counts of tokens are whole numbers, no part larger than its whole; absent ones are sound."""
    try:
        _Usage.model_validate({} if usage is None else usage)
    except ValidationError:
        return False
    return True


def _without_reasoning(record: Record, choice: dict[str, Any]) -> dict[str, Any]:
    return {**choice, "message": _bare(record, choice["message"])}


def _bare(record: Record, message: dict[str, Any]) -> dict[str, Any]:
    """Return the message without the reasoning before an assistant's answer, which is noted."""
    content = message.get("content")
    if (message.get("role") or "assistant") != "assistant" or not isinstance(content, str):
        return message
    for models, reasoning in _REASONING:
        before = reasoning.match(content) if models.search(record.request["model"]) else None
        if before:
            record.notes.append("thinking: left out")
            return {**message, "content": content[before.end() :]}
    return message
