"""The template language of graders and inputs: `{{ item.path[0].field }}` and `{{ sample.path }}`.

Text in, text out. What is not a string is rendered as compact JSON; a rendered value is never rendered again, so
that graded text cannot reach into a template. A missing path raises `NotGradable`.
Source: OpenAI's guide to graders.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from foundation.graders.grade import NotGradable

_PLACE = re.compile(r"\{\{\s*(.*?)\s*\}\}", re.DOTALL)
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")


def render(template: str, namespaces: dict[str, Any]) -> str:
    """Fill every place of a template."""
    return _PLACE.sub(lambda place: _text(look_up(place.group(1), namespaces)), template)


def render_messages(messages: list[dict[str, Any]], namespaces: dict[str, Any]) -> list[dict[str, Any]]:
    """Fill a list of messages, whose content is text or a list of text parts."""
    return [{"role": message["role"], "content": _content(message["content"], namespaces)} for message in messages]


def look_up(path: str, namespaces: dict[str, Any]) -> Any:
    """The value at a path. Raises NotGradable naming the first step that is missing."""
    value: Any = namespaces
    steps = list(_STEP.finditer(path))
    if not steps or "".join(step.group(0) for step in steps) != path:
        raise NotGradable(f"'{{{{ {path} }}}}' is not a path such as item.field or sample.output_text")
    for step in steps:
        name, index = step.groups()
        try:
            value = value[int(index)] if index is not None else value[name]
        except (KeyError, IndexError, TypeError) as error:
            raise NotGradable(f"'{{{{ {path} }}}}' has no value: '{step.group(0)}' is missing") from error
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _content(content: Any, namespaces: dict[str, Any]) -> str:
    parts = content if isinstance(content, list) else [content]
    texts = [part if isinstance(part, str) else part.get("text", "") for part in parts]
    return render("".join(texts), namespaces)
