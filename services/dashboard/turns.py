"""Messages and completions as the pages show them. Whatever a provider or an application sent may stand in them.

In: OpenAI's shapes as the API gives them, of which any field may be missing, null, or of another type. Out: texts,
parts and calls that a template can show.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from dashboard.shown import as_json, web_address

_LARGEST_IMAGE = 40_000
"""The most letters of an image that stands in a page."""
_IMAGES = ("data:image/png;base64,", "data:image/jpeg;base64,", "data:image/gif;base64,", "data:image/webp;base64,")
_MOST_PARTS = 12
_MOST_ON_A_PAGE = 40
"""The most parts and calls that all turns of a page have together."""
_MOST_OF_IMAGES = 80_000
"""The most letters that the images of a page have together."""


class Part(NamedTuple):
    """A part that is no text. `image` is one that stands in the page, `address` that of one that lies elsewhere."""

    kind: str
    value: Any
    image: str | None = None
    address: str | None = None


class Call(NamedTuple):
    """A tool call."""

    name: str
    arguments: str


class Turn(NamedTuple):
    """A message."""

    role: str
    text: str
    parts: list[Part]
    calls: list[Call]
    refusal: str
    reasoning: str


class Row(NamedTuple):
    """A completion as a line of a table."""

    id: str
    created: int
    model: str
    question: str
    answer: str
    metadata: dict[str, str]
    tokens: int | None
    latency_ms: int | None
    finish_reason: str
    reference: str
    origin: str


def turn(message: Any) -> Turn:
    """A message as it is shown."""
    fields = message if isinstance(message, dict) else {"content": message}
    content = fields.get("content_parts") or fields.get("content")
    parts = content if isinstance(content, list) else []
    texts = [text for text in map(_text_of, parts) if text] or [_plain(content)] if not parts else map(_text_of, parts)
    others = [_part(part) for part in parts if not _text_of(part)]
    return Turn(
        role=_plain(fields.get("role")) or "?",
        text="\n".join(text for text in texts if text),
        parts=others[:_MOST_PARTS],
        calls=[_call(call) for call in _list(fields.get("tool_calls"))[:_MOST_PARTS]],
        refusal=_plain(fields.get("refusal")),
        reasoning=_plain(fields.get("reasoning_content") or fields.get("reasoning")),
    )


def on_a_page(said: Iterable[Turn]) -> list[Turn]:
    """The turns with as many of their parts, images and calls as a page can hold, those that come first."""
    left, room = _MOST_ON_A_PAGE, _MOST_OF_IMAGES
    shown = []
    for each in said:
        parts = []
        for part in each.parts[:left]:
            room -= len(part.image or "")
            parts.append(
                part if room >= 0 or part.image is None else Part(part.kind, "An image that is left out here.")
            )
        left -= len(parts)
        calls = each.calls[:left]
        left -= len(calls)
        shown.append(each._replace(parts=parts, calls=calls))
    return shown


def row(completion: Mapping[str, Any]) -> Row:
    """A completion as a line: its last question and its first answer."""
    questions = [turn(message) for message in _list(completion.get("messages"))[-3:]]
    asked = [said for said in questions if said.role == "user"] or questions
    choice = next((choice for choice in _list(completion.get("choices")) if isinstance(choice, dict)), {})
    answer = turn(choice.get("message")) if choice else None
    return Row(
        id=completion["id"],
        created=completion["created"],
        model=_plain(completion.get("model")),
        question=asked[-1].text if asked else "",
        answer=_in_short(answer) if answer else "the call failed",
        metadata=completion.get("metadata") or {},
        tokens=_total(completion),
        latency_ms=completion.get("latency_ms"),
        finish_reason=_plain(choice.get("finish_reason")),
        reference=_plain(completion.get("reference")),
        origin=_plain(completion.get("origin")),
    )


def tokens_of(completion: Mapping[str, Any]) -> str:
    """The tokens of a completion, for people."""
    usage = completion.get("usage") or {}
    prompt, answer = usage.get("prompt_tokens"), usage.get("completion_tokens")
    return f"{prompt:,} + {answer:,}" if isinstance(prompt, int) and isinstance(answer, int) else "not counted"


def _in_short(answer: Turn) -> str:
    return answer.text or answer.refusal or ", ".join(f"calls {call.name}" for call in answer.calls)


def _total(completion: Mapping[str, Any]) -> int | None:
    total = (completion.get("usage") or {}).get("total_tokens")
    return total if isinstance(total, int) else None


def _text_of(part: Any) -> str:
    if isinstance(part, str):
        return part
    text = part.get("text") if isinstance(part, dict) else None
    return text if isinstance(text, str) else ""


def _part(part: Any) -> Part:
    kind = _plain(part.get("type")) if isinstance(part, dict) else ""
    image = part.get("image_url") if isinstance(part, dict) else None
    url = image.get("url") if isinstance(image, dict) else image
    if isinstance(url, str) and url.startswith(_IMAGES) and len(url) <= _LARGEST_IMAGE and url.isascii():
        return Part(kind, None, image=url)
    return Part(kind or "part", part, address=web_address(url))


def _call(call: Any) -> Call:
    function = call.get("function") or call.get("custom") if isinstance(call, dict) else None
    fields = function if isinstance(function, dict) else {}
    return Call(_plain(fields.get("name")) or "?", _plain(fields.get("arguments", fields.get("input"))))


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else as_json(value)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
