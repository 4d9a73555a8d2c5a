"""Items of the Responses API as the chat messages that say the same.

In: the items of an input or an output. Out: messages, and the kinds of items and parts that no message can say, such as
hosted tools and files by URL. Reasoning has no counterpart either, but a chat is complete without it. Pydantic refuses
a malformed item and names its field.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Discriminator, Field, Tag
from pydantic_core import PydanticCustomError

type _Name = Annotated[str, Field(min_length=1, max_length=256)]
type _Kind = Annotated[str, Field(min_length=1, max_length=64)]


class _Text(BaseModel):
    text: str


class _Refusal(BaseModel):
    refusal: str


class _Image(BaseModel):
    image_url: str | None = None
    detail: str | None = None


class _Audio(BaseModel):
    input_audio: dict[str, str]


class _File(BaseModel):
    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class _Other(BaseModel):
    """A part or an item that has no counterpart in a chat."""

    type: _Kind


def _tag_of(value: Any, tags: dict[str, str]) -> str:
    kind = value.get("type") if isinstance(value, dict) else None
    return tags.get(kind, "other") if isinstance(kind, str) else "other"


_PARTS = {
    "input_text": "text",
    "output_text": "text",
    "text": "text",
    "refusal": "refusal",
    "input_image": "image",
    "input_audio": "audio",
    "input_file": "file",
}
type Part = Annotated[
    Annotated[_Text, Tag("text")]
    | Annotated[_Refusal, Tag("refusal")]
    | Annotated[_Image, Tag("image")]
    | Annotated[_Audio, Tag("audio")]
    | Annotated[_File, Tag("file")]
    | Annotated[_Other, Tag("other")],
    Discriminator(lambda value: _tag_of(value, _PARTS)),
]
type Content = Annotated[
    Annotated[str, Tag("whole")] | Annotated[list[Part], Tag("parts")],
    Discriminator(lambda value: "parts" if isinstance(value, list) else "whole"),
]


class Message(BaseModel):
    """What somebody says."""

    role: Literal["system", "developer", "user", "assistant"]
    content: Content
    phase: str | None = None
    """`commentary` where the assistant says it on the way, `final_answer` where it is the answer."""


class _Call(BaseModel):
    """A call of one of the application's own functions or custom tools."""

    type: Literal["function_call", "custom_tool_call"]
    call_id: _Name
    name: _Name
    namespace: str | None = None


class _FunctionCall(_Call):
    arguments: str

    def chat(self) -> dict[str, Any]:
        return {"id": self.call_id, "type": "function", "function": {"name": self.name, "arguments": self.arguments}}


class _CustomCall(_Call):
    input: str

    def chat(self) -> dict[str, Any]:
        return {"id": self.call_id, "type": "custom", "custom": {"name": self.name, "input": self.input}}


class _CallOutput(BaseModel):
    call_id: _Name
    output: Content


class _Reasoning(BaseModel):
    """The model's reasoning. It is left out of the messages."""


def _elsewhere(_: Any) -> Any:
    raise PydanticCustomError(
        "elsewhere", "an item_reference names what the provider keeps; send the item itself, or previous_response_id"
    )


type _Elsewhere = Annotated[Any, AfterValidator(_elsewhere)]


def _item_tag(value: Any) -> str:
    if isinstance(value, dict) and value.get("type") is None and "role" in value:
        return "message"
    return _tag_of(value, _ITEMS)


_ITEMS = {
    "message": "message",
    "function_call": "function",
    "custom_tool_call": "custom",
    "function_call_output": "result",
    "custom_tool_call_output": "result",
    "reasoning": "reasoning",
    "item_reference": "elsewhere",
}
type Item = Annotated[
    Annotated[Message, Tag("message")]
    | Annotated[_FunctionCall, Tag("function")]
    | Annotated[_CustomCall, Tag("custom")]
    | Annotated[_CallOutput, Tag("result")]
    | Annotated[_Reasoning, Tag("reasoning")]
    | Annotated[_Elsewhere, Tag("elsewhere")]
    | Annotated[_Other, Tag("other")],
    Discriminator(_item_tag),
]


def answering(items: Sequence[Item]) -> list[Item]:
    """The items of an output without the messages before the final one, which the assistant says on the way."""
    spoken = [item for item in items if isinstance(item, Message)]
    answers = [message for message in spoken if message.phase != "commentary"] or spoken
    return [item for item in items if not isinstance(item, Message) or item is answers[-1]]


class Turns:
    """The chat messages of some items in order, and in `unsaid` the kinds of what they cannot say."""

    def __init__(self, items: Iterable[Item] = ()) -> None:
        self.messages: list[dict[str, Any]] = []
        self.unsaid: set[str] = set()
        for item in items:
            self._add(item)

    def _add(self, item: Item) -> None:
        match item:
            case Message(role="assistant"):
                self._say(item.content)
            case Message():
                self.messages.append({"role": item.role, "content": self._content(item.content, item.role)})
            case _FunctionCall() | _CustomCall():
                if item.namespace:
                    self.unsaid.add("namespace")
                self._speaker().setdefault("tool_calls", []).append(item.chat())
            case _CallOutput():
                content = self._content(item.output, "tool")
                self.messages.append({"role": "tool", "tool_call_id": item.call_id, "content": content})
            case _Other():
                self.unsaid.add(item.type)

    def _speaker(self) -> dict[str, Any]:
        """The assistant's message at the end, added if there is none: it takes up several items in a row."""
        if not self.messages or self.messages[-1]["role"] != "assistant":
            return self._new_speaker()
        return self.messages[-1]

    def _new_speaker(self) -> dict[str, Any]:
        self.messages.append({"role": "assistant", "content": None})
        return self.messages[-1]

    def _say(self, content: Content) -> None:
        """Add what one message of the assistant says, as a message of its own if the one before has said something.

        Only where calls stand between the two it is a paragraph of the same message, since the calls' outputs follow.
        """
        message = self._speaker()
        if message["content"] is not None or "refusal" in message:
            if "tool_calls" in message:
                message["content"] = f"{message['content'] or ''}\n\n"
            else:
                message = self._new_speaker()
        for part in [_Text(text=content)] if isinstance(content, str) else content:
            match part:
                case _Text():
                    message["content"] = (message["content"] or "") + part.text
                case _Refusal():
                    message["refusal"] = message.get("refusal", "") + part.refusal
                case _:
                    self.unsaid.add(_kind_of(part))

    def _content(self, content: Content, role: str) -> str | list[dict[str, Any]]:
        """The content of a message: a single text as plain text, as chats usually have it, else a list of parts."""
        if isinstance(content, str):
            return content
        parts = []
        for part in content:
            chat_part = _chat_part(part)
            if chat_part is None or (role != "user" and not isinstance(part, _Text)):
                self.unsaid.add(_kind_of(part))
            else:
                parts.append(chat_part)
        if all(part["type"] == "text" for part in parts) and len(parts) <= 1:
            return "".join(part["text"] for part in parts)
        return parts


def _chat_part(part: Part) -> dict[str, Any] | None:
    match part:
        case _Text():
            return {"type": "text", "text": part.text}
        case _Image(image_url=str(url)):
            detail = {"detail": part.detail} if part.detail in {"auto", "low", "high"} else {}
            return {"type": "image_url", "image_url": {"url": url, **detail}}
        case _Audio():
            return {"type": "input_audio", "input_audio": part.input_audio}
        case _File() if part.file_data or part.file_id:
            return {"type": "file", "file": part.model_dump(exclude_none=True)}
    return None


def _kind_of(part: Part) -> str:
    return part.type if isinstance(part, _Other) else f"{type(part).__name__.removeprefix('_').lower()} part"
