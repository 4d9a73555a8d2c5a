"""Convert Promptfoo's prompts to message templates that are filled with a row's fields.

In: an entry of `prompts`: a text, a conversation in JSON, a file of either, several texts between `---`. Out: Prompts.
A prompt that a program generates, and a template with more than variables in it, raise Left.
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
    """Messages as templates of Stillhouse, and the variables that they use; `left` lists the keys left out."""

    label: str
    messages: list[dict[str, Any]]
    variables: set[str]
    left: list[str] = field(default_factory=list)


def prompts_of(entry: Any, usual: str, beside: Beside) -> Iterator[Prompt]:
    """Yield the prompts of an entry; `usual` is the label of one that has none. Raises Left, OSError, ValueError."""
    label = str(entry.get("label") or usual) if isinstance(entry, dict) else usual
    raw = (entry.get("raw") or entry.get("id")) if isinstance(entry, dict) else entry
    if not isinstance(raw, str):
        raise Unmapped("it is no text")
    if raw.startswith(_MADE):
        raise Unmapped("it is made by a program")
    texts = [raw]
    if raw.startswith("file://") or _names_a_file(raw, beside):
        texts = [text for path in beside.paths(raw) for text in _texts(path)]
    more = sorted(entry.keys() - _CARRIED) if isinstance(entry, dict) else []
    for number, text in enumerate(texts, 1):
        given = _conversation(text)
        used = set().union(*(templates.names(part) for part in _strings(given)))
        name = label if len(texts) == 1 else f"{label} {number}"
        yield Prompt(name, [_message(message) for message in given], used, more)


def _names_a_file(raw: str, beside: Beside) -> bool:
    """Tell whether a prompt is the bare path of a file that exists."""
    if "\n" in raw or not raw.endswith(_FILES):
        return False
    try:
        beside.paths(raw)
    except Unmapped:
        return False
    return True


def _texts(path: Path) -> list[str]:
    content = loaded(path)
    if path.suffix.lower() == ".csv":
        return [row["prompt"] for row in content]
    if isinstance(content, str):
        return [text.strip() for text in re.split(r"(?m)^---\s*$", content) if text.strip()]
    return [json.dumps(content, ensure_ascii=False)]


def _conversation(text: str) -> list[dict[str, Any]]:
    """Return the messages that a text holds as a JSON list; any other text becomes the message of a user."""
    try:
        messages = json.loads(text) if text.lstrip()[:1] == "[" else None
    except ValueError:
        messages = None
    if (
        isinstance(messages, list)
        and messages
        and all(isinstance(message, dict) and "role" in message for message in messages)
    ):
        return messages
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
        for member in value.values() if isinstance(value, dict) else value:
            yield from _strings(member)
