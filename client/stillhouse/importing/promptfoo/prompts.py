"""Promptfoo's prompts as messages with places for a row's fields.

In: an entry of `prompts`: a text, a conversation in JSON, a file of either, several texts between `---`. Out: Prompts.
What a program makes, and a template that is more than places for variables, raises Left.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stillhouse.importing.promptfoo import templates
from stillhouse.importing.promptfoo.files import Beside, loaded
from stillhouse.importing.source import Unmapped

_MADE = ("exec:", "langfuse://", "portkey://", "helicone://")
_CARRIED = frozenset({"raw", "id", "label"})
_FILES = (".txt", ".json", ".md", ".yaml", ".yml", ".j2", ".csv")


@dataclass
class Prompt:
    """Messages as templates of Stillhouse, and the variables that they use; `left` names what it has more."""

    label: str
    messages: list[dict[str, Any]]
    variables: set[str]
    left: list[str] = field(default_factory=list)


def prompts_of(one: Any, usual: str, beside: Beside) -> Iterator[Prompt]:
    """Raises Left, OSError, ValueError."""
    label = str(one.get("label") or usual) if isinstance(one, dict) else usual
    raw = (one.get("raw") or one.get("id")) if isinstance(one, dict) else one
    if not isinstance(raw, str):
        raise Unmapped("it is no text")
    if raw.startswith(_MADE):
        raise Unmapped("it is made by a program")
    texts = [raw]
    if raw.startswith("file://") or _names_a_file(raw, beside):
        texts = [text for path in beside.paths(raw) for text in _texts(path)]
    more = sorted(one.keys() - _CARRIED) if isinstance(one, dict) else []
    for number, text in enumerate(texts, 1):
        given = _conversation(text)
        used = set().union(*(templates.names(part) for part in _strings(given)))
        name = label if len(texts) == 1 else f"{label} {number}"
        yield Prompt(name, [_message(message) for message in given], used, more)


def _names_a_file(raw: str, beside: Beside) -> bool:
    """A prompt may be a bare path."""
    if "\n" in raw or not raw.endswith(_FILES):
        return False
    try:
        beside.paths(raw)
    except Unmapped:
        return False
    return True


def _texts(path: Path) -> list[str]:
    found = loaded(path)
    if path.suffix.lower() == ".csv":
        return [row["prompt"] for row in found]
    if isinstance(found, str):
        return [text.strip() for text in re.split(r"(?m)^---\s*$", found) if text.strip()]
    return [json.dumps(found, ensure_ascii=False)]


def _conversation(text: str) -> list[dict[str, Any]]:
    """The messages that a text holds as JSON, else itself as the message of a user."""
    try:
        found = json.loads(text) if text.lstrip()[:1] == "[" else None
    except ValueError:
        found = None
    if isinstance(found, list) and found and all(isinstance(one, dict) and "role" in one for one in found):
        return found
    return [{"role": "user", "content": text}]


def _message(message: dict[str, Any]) -> dict[str, Any]:
    match message.get("content"):
        case str(text):
            return {"role": message["role"], "content": templates.converted(text)}
        case list(parts):
            return {"role": message["role"], "content": [_part(part) for part in parts]}
        case _:
            raise Unmapped("a message without content")


def _part(part: Any) -> dict[str, Any]:
    match part:
        case {"type": "text", "text": str(text)}:
            return {"type": "input_text", "text": templates.converted(text)}
        case {"type": "image_url", "image_url": {"url": str(url)}}:
            return {"type": "input_image", "image_url": templates.converted(url)}
        case _:
            raise Unmapped("a content part that is neither text nor image")


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _strings(one)
