"""The messages of a chat completion as Converse takes them: texts, images, tool calls and their results.

In: messages in OpenAI's shape. Out: the blocks of `system` and the turns of `messages`. Texts of the roles system and
developer go to `system`, wherever they stand: few models take them between the turns. Neighbouring turns of one role
become one, as Converse asks. Raises Unsupported, which names the part that has no counterpart.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from typing import Any

import orjson

from providers.unsupported import Unsupported

_SYSTEM = frozenset({"system", "developer"})
_FORMATS = {"image/png": "png", "image/jpeg": "jpeg", "image/jpg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+);base64,", re.ASCII)
_CALL_ID = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
# What each role's message may have beside these is refused.
_KNOWN = {
    "system": frozenset({"role", "content"}),
    "developer": frozenset({"role", "content"}),
    "user": frozenset({"role", "content"}),
    "assistant": frozenset({"role", "content", "refusal", "tool_calls", "reasoning_content", "reasoning_details"}),
    "tool": frozenset({"role", "content", "tool_call_id"}),
}
_NOTHING: tuple[Any, ...] = (None, [], {}, "")


def system_blocks(messages: list[Any]) -> list[dict[str, Any]]:
    """The texts of the roles system and developer."""
    return [
        {"text": text}
        for place, message in _named(messages)
        if message["role"] in _SYSTEM
        for text in _texts(message.get("content"), f"{place}.content")
    ]


def turns(messages: list[Any]) -> list[dict[str, Any]]:
    """The turns of user and assistant. All results of one turn's calls stand in one turn of the user."""
    made: list[dict[str, Any]] = []
    for place, message in _named(messages):
        if message["role"] in _SYSTEM:
            continue
        role = "assistant" if message["role"] == "assistant" else "user"
        blocks = list(_blocks(message, place))
        if made and made[-1]["role"] == role:
            made[-1]["content"] += blocks
        else:
            made.append({"role": role, "content": blocks})
    return made


def calls_tools(messages: list[Any]) -> bool:
    """Whether an earlier turn called a tool."""
    return any(isinstance(message, dict) and message.get("tool_calls") for message in messages)


def _named(messages: list[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The messages with their places, such as `messages[0]`."""
    for number, message in enumerate(messages):
        place = f"messages[{number}]"
        if not isinstance(message, dict):
            raise Unsupported(place, "an object is expected.", code="invalid_type")
        known = _KNOWN.get(str(message.get("role")))
        if known is None:
            raise Unsupported(f"{place}.role", f"use one of {', '.join(_KNOWN)}.", code="invalid_value")
        for name, value in message.items():
            if name not in known and value not in _NOTHING:
                raise Unsupported(f"{place}.{name}", "Bedrock's Converse has no counterpart. Leave it out.")
        yield place, message


def _blocks(message: dict[str, Any], place: str) -> Iterator[dict[str, Any]]:
    match message["role"]:
        case "tool":
            yield _result(message, place)
        case "assistant":
            yield from _signed_thoughts(message)
            yield from _parts(message.get("content"), f"{place}.content")
            if isinstance(message.get("refusal"), str) and message["refusal"]:
                yield {"text": message["refusal"]}
            for number, call in enumerate(message.get("tool_calls") or ()):
                yield _call(call, f"{place}.tool_calls[{number}]")
        case _:
            yield from _parts(message.get("content"), f"{place}.content")


def _parts(content: Any, place: str) -> Iterator[dict[str, Any]]:
    """The blocks of a content: a text, or a list of parts. Converse refuses empty texts, which say nothing."""
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    if content is not None and not isinstance(content, list):
        raise Unsupported(place, "a text or a list of parts is expected.", code="invalid_type")
    for number, part in enumerate(content or ()):
        yield from _part(part, f"{place}[{number}]")


def _part(part: Any, place: str) -> Iterator[dict[str, Any]]:
    match part:
        case {"type": "text", "text": str(text)} | {"type": "refusal", "refusal": str(text)}:
            if text:
                yield {"text": text}
        case {"type": "image_url", "image_url": {"url": str(url), **options}}:
            if options.get("detail") not in {None, "auto"}:
                raise Unsupported(f"{place}.image_url.detail", "Bedrock's Converse has no levels of detail: use auto.")
            yield {"image": _image(url, f"{place}.image_url.url")}
        case {"type": str(kind)}:
            raise Unsupported(f"{place}.type", f"parts of the type '{kind[:64]}' have no counterpart in Converse here.")
        case _:
            raise Unsupported(place, "a part with a type is expected.", code="invalid_type")


def _image(url: str, place: str) -> dict[str, Any]:
    head = _DATA_URL.match(url)
    if head is None:
        raise Unsupported(
            place, "Bedrock fetches no images: send the bytes as data:image/png;base64,… in place of a URL."
        )
    kind = _FORMATS.get(head[1].lower())
    if kind is None:
        raise Unsupported(place, "Bedrock takes images as png, jpeg, gif and webp.")
    try:
        raw = base64.b64decode(url[head.end() :], validate=True)
    except binascii.Error as error:
        raise Unsupported(place, "its bytes are no base64.", code="invalid_value") from error
    if not raw:
        raise Unsupported(place, "it has no bytes.", code="invalid_value")
    return {"format": kind, "source": {"bytes": raw}}


def _texts(content: Any, place: str) -> Iterator[str]:
    """The texts of a content that may have nothing else."""
    for block in _parts(content, place):
        if "text" not in block:
            raise Unsupported(place, "Converse takes texts alone here.")
        yield block["text"]


def _call(call: Any, place: str) -> dict[str, Any]:
    match call:
        case {"id": str(call_id), "function": {"name": str(name), "arguments": str(arguments)}}:
            if not TOOL_NAME.fullmatch(name):
                raise Unsupported(f"{place}.function.name", "Bedrock takes 1 to 64 of a-z, A-Z, 0-9, _ and -.")
            given = _object_in(arguments or "{}", f"{place}.function.arguments")
            return {"toolUse": {"toolUseId": _id(call_id), "name": name, "input": given}}
        case {"type": str(kind)} if kind != "function":
            raise Unsupported(f"{place}.type", "Converse has calls of functions alone.")
        case _:
            raise Unsupported(
                place, "an id, and a function with name and arguments, are expected.", code="invalid_type"
            )


def _object_in(arguments: str, place: str) -> dict[str, Any]:
    try:
        given = orjson.loads(arguments)
    except orjson.JSONDecodeError as error:
        raise Unsupported(place, "Bedrock takes them as an object, and they are no JSON.") from error
    if not isinstance(given, dict):
        raise Unsupported(place, "Bedrock takes an object, and they are another JSON value.")
    return given


def _result(message: dict[str, Any], place: str) -> dict[str, Any]:
    call_id = message.get("tool_call_id")
    if not isinstance(call_id, str) or not call_id:
        raise Unsupported(f"{place}.tool_call_id", "the id of the call is expected.", code="missing_required_parameter")
    texts = _texts(message.get("content"), f"{place}.content")
    content = [{"text": text} for text in texts]
    return {"toolResult": {"toolUseId": _id(call_id), "content": content, "status": "success"}}


def _id(call_id: str) -> str:
    """The id itself, or one that follows from it where Bedrock does not take its letters."""
    if _CALL_ID.fullmatch(call_id):
        return call_id
    return f"call_{hashlib.sha256(call_id.encode()).hexdigest()[:32]}"


def _signed_thoughts(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What an earlier turn thought, where its signature is still there; models refuse thoughts without one."""
    details = message.get("reasoning_details")
    for detail in details if isinstance(details, list) else ():
        match detail:
            case {"text": str(text), "signature": str(signature)}:
                yield {"reasoningContent": {"reasoningText": {"text": text, "signature": signature}}}
            case _:
                pass
