"""The template language of graders and inputs: `{{ item.path[0].field }}` and `{{ sample.path }}`.

In: a template and a row. Out: text. A value that is no string is rendered as compact JSON. A rendered value is never
rendered again, so that places in graded text are not filled. A missing path raises `InvalidVariable`.
Source: OpenAI's guide to graders.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import orjson

from graders.grade import AnswerLacks, InvalidVariable, NotGradable, TooLarge
from graders.namespace import PARTS

# No braces may stand inside a place, so that searching any text takes time in proportion to its length.
_PLACE = re.compile(r"\{\{([^{}]*+)\}\}")
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")
_SHOWN = 64
_MOST_LETTERS = 10_000_000
"""The most letters that one template, or one list of messages, fills in: a large value may stand at many places."""
# The parts of messages, as chat completions and the Responses API spell them, and the path of each part's text.
_NEEDS: dict[str, tuple[str, ...]] = {
    "text": ("text",),
    "input_text": ("text",),
    "output_text": ("text",),
    "input_image": ("image_url",),
    "image_url": ("image_url", "url"),
    "input_audio": ("input_audio", "data"),
}


def render(template: str, namespaces: dict[str, Any], around: Callable[[str], str] = str) -> str:
    """Fill every place of a template with `around(value)`. Raises TooLarge and InvalidVariable."""
    return _Fill(namespaces, around).text(template)


def render_messages(
    messages: list[dict[str, Any]], namespaces: dict[str, Any], around: Callable[[str], str] = str
) -> list[dict[str, Any]]:
    """Fill a list of messages, whose content is text or parts of text, images and audio in OpenAI's spellings.

    `around` is applied to values in texts, not to addresses of images and not to audio. Raises NotGradable for content
    of any other kind, TooLarge if too much is filled in, and InvalidVariable.
    """
    fill = _Fill(namespaces, around)
    return [{"role": message["role"], "content": _content(message["content"], fill)} for message in messages]


def checked_content(content: Any) -> Any:
    """The content of a message, unchanged. Raises ValueError if `render_messages` could not fill it."""
    for part in _parts(content):
        wrong = _wrong_with(part)
        if wrong:
            raise ValueError(wrong)
    return content


def places(messages: list[dict[str, Any]]) -> list[str]:
    """The paths of all places in the messages."""
    paths: list[str] = []
    texts: list[Any] = [message["content"] for message in messages]
    while texts:
        text = texts.pop()
        if isinstance(text, str):
            paths += [path.strip() for path in _PLACE.findall(text)]
        elif isinstance(text, list | dict):
            texts += text.values() if isinstance(text, dict) else text
    return paths


def look_up(path: str, namespaces: dict[str, Any]) -> Any:
    """The value at a path. Raises InvalidVariable naming the first step that is missing.

    What is missing within a part of the answer raises AnswerLacks: another answer could have it.
    """
    value: Any = namespaces
    for number, step in enumerate(steps := steps_of(path)):
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError) as error:
            shown = f"[{step}]" if isinstance(step, int) else f".{step}"
            of_answer = steps[0] == "sample" and number > 1 and steps[1] in PARTS
            raise (AnswerLacks if of_answer else InvalidVariable)(
                f"{_shown(path)} has no value: '{shown[:_SHOWN]}' is missing"
            ) from error
    return value


def steps_of(path: str) -> list[str | int]:
    """The names and positions that a path consists of. Raises InvalidVariable if it is no path."""
    steps = list(_STEP.finditer(path))
    if not steps or "".join(step.group(0) for step in steps) != path:
        raise InvalidVariable(f"{_shown(path)} is not a path such as item.field or sample.output_text")
    return [step.group(1) if step.group(2) is None else int(step.group(2)) for step in steps]


def _shown(path: str) -> str:
    return f"'{{{{ {path[:_SHOWN]} }}}}'"


class _Fill:
    """Fills templates from one row, and counts the letters that it fills in."""

    def __init__(self, namespaces: dict[str, Any], around: Callable[[str], str]) -> None:
        self._namespaces = namespaces
        self._around = around
        self._letters = 0

    def text(self, template: str) -> str:
        return _PLACE.sub(lambda place: self._around(self._value(place.group(1))), template)

    def address(self, template: str) -> str:
        """Fill the template of an image's address or of audio, whose values are not passed through `around`."""
        return _PLACE.sub(lambda place: self._value(place.group(1)), template)

    def _value(self, path: str) -> str:
        value = look_up(path.strip(), self._namespaces)
        text = value if isinstance(value, str) else orjson.dumps(value).decode()
        self._letters += len(text)
        if self._letters > _MOST_LETTERS:
            raise TooLarge(f"the template's places hold more than {_MOST_LETTERS} letters in all")
        return text


def _content(content: Any, fill: _Fill) -> str | list[dict[str, Any]]:
    """The filled content: one text, or the parts of a chat message if there is an image or audio among them."""
    parts = [_part(part, fill) for part in _parts(content)]
    if all(part["type"] == "text" for part in parts):
        return "".join(part["text"] for part in parts)
    return parts


def _parts(content: Any) -> list[Any]:
    return content if isinstance(content, list) else [content]


def _part(part: Any, fill: _Fill) -> dict[str, Any]:
    wrong = _wrong_with(part)
    if wrong:
        raise NotGradable(wrong)
    if isinstance(part, str):
        return {"type": "text", "text": fill.text(part)}
    match part["type"]:
        case "input_image":
            image = {"url": fill.address(part["image_url"]), "detail": part.get("detail", "auto")}
            return {"type": "image_url", "image_url": image}
        case "image_url":
            image = {**part["image_url"], "url": fill.address(part["image_url"]["url"])}
            return {"type": "image_url", "image_url": image}
        case "input_audio":
            audio = {**part["input_audio"], "data": fill.address(part["input_audio"]["data"])}
            return {"type": "input_audio", "input_audio": audio}
        case _:
            return {"type": "text", "text": fill.text(part["text"])}


def _wrong_with(part: Any) -> str | None:
    """Why a part cannot be filled; None if it can."""
    if isinstance(part, str):
        return None
    if not isinstance(part, dict):
        return "the content of a message is text, or parts of it such as {'type': 'input_text', 'text': '…'}"
    kind = part.get("type")
    if not isinstance(kind, str):
        return "a part of a message has no type"
    if kind not in _NEEDS:
        return f"a part of a message has the type '{kind[:_SHOWN]}', which is none of {', '.join(_NEEDS)}"
    value: Any = part
    for name in _NEEDS[kind]:
        value = value.get(name) if isinstance(value, dict) else None
    return None if isinstance(value, str) else f"a part of type '{kind}' needs the text {'.'.join(_NEEDS[kind])}"
