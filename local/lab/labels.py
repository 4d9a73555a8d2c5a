"""Find the candidate labels that a prompt names, and the text that is to be labelled.

In: the messages of a request. Out: a `Task`: labels in their order, the words that describe each, the input
without the list of labels and the instructions around it, and the JSON key to answer under where the prompt
shows one. A prompt that names no labels gives a task without labels.
"""

import re
from dataclasses import dataclass
from typing import Any

from local.lab.messages import content_text, last_user_text

_STRING = r"""(?:"[^"\]]{1,80}"|'[^'\]]{1,80}')"""
_QUOTED_LIST = re.compile(rf"\[\s*{_STRING}(?:\s*,\s*{_STRING})+\s*,?\s*\]")
_QUOTED = re.compile(r"""["']([^"']+)["']""")
_BACKTICKED = re.compile(r"`(\w[\w \-/&.?!+:']{0,60})`")
_CUE = re.compile(
    r"^(?![ \t]*[-*•]).*?"
    r"\b(?:labels?|categor(?:y|ies)|class(?:es)?|intents?|options?|topics?|queues?|teams?|one of)\b"
    r"[^:\n.]{0,60}:[ \t]*([^\n:]+?,[^\n:]+?)(?=[.;]?\s*(?:\n|$)|[.;]\s)",
    re.IGNORECASE | re.MULTILINE,
)
_BULLET = re.compile(r"^[ \t]*(?:[-*•]|\d{1,3}[.)])[ \t]+(.+?)[ \t]*$", re.MULTILINE)
_HEADER = re.compile(r"^[ \t]*[A-Z][\w ]{0,30}:[ \t]*(?=\S|\n)", re.MULTILINE)
_JSON_SHAPE = re.compile(r'\{\s*"([^"{}]+)"\s*:\s*(?:"[^"{}]*"|<[^<>{}]*>)\s*\}')
_LABEL_WORDS = 6


@dataclass(frozen=True, slots=True)
class Task:
    """A labelling task as a prompt poses it."""

    labels: tuple[str, ...]
    descriptions: tuple[str, ...]
    text: str
    json_key: str | None


@dataclass(frozen=True, slots=True)
class _Listing:
    """Labels, their descriptions, and where in a message they stand."""

    labels: list[str]
    descriptions: list[str]
    span: tuple[int, int]


def read_task(messages: list[dict[str, Any]]) -> Task:
    """Look for labels in the instructions first, then in what the user said last."""
    question = last_user_text(messages)
    instructions = [content_text(m.get("content")) for m in messages if m.get("role") in {"system", "developer"}]
    shape = next((match for text in [*instructions, question] if (match := _JSON_SHAPE.search(text))), None)
    json_key = shape.group(1) if shape else None
    for text in instructions:
        if listing := _listing(text):
            return Task(tuple(listing.labels), tuple(listing.descriptions), question, json_key)
    if listing := _listing(question):
        text = _input_beside(question, listing.span)
        return Task(tuple(listing.labels), tuple(listing.descriptions), text, json_key)
    return Task((), (), question, json_key)


def _listing(text: str) -> _Listing | None:
    for find in (_quoted_list, _after_cue, _backticked, _bullets):
        listing = find(text)
        if listing is not None and len(listing.labels) > 1:
            return listing
    return None


def _quoted_list(text: str) -> _Listing | None:
    quoted = _QUOTED_LIST.search(text)
    if quoted is None:
        return None
    labels = _distinct(_QUOTED.findall(quoted.group()))
    return _Listing(labels, labels, quoted.span())


def _backticked(text: str) -> _Listing | None:
    """Read backticked names; one that opens a bullet is described by the rest of its line."""
    names = list(_BACKTICKED.finditer(text))
    if not names:
        return None
    described: dict[str, str] = {}
    for match in names:
        line_start = text.rfind("\n", 0, match.start()) + 1
        opens = not re.search(r"\w", text[line_start : match.start()])
        rest = text[match.end() :].split("\n", 1)[0] if opens else ""
        described.setdefault(match.group(1), f"{match.group(1)} {rest}")
    return _Listing(list(described), list(described.values()), (names[0].start(), names[-1].end()))


def _after_cue(text: str) -> _Listing | None:
    cue = _CUE.search(text)
    if cue is None:
        return None
    parts = re.split(r"\s*,\s*(?:or\s+|and\s+)?|\s+(?:or|and)\s+", cue.group(1))
    labels = _distinct(part.strip(" \t\"'`*.;()") for part in parts)
    if any(not label or len(label.split()) > _LABEL_WORDS for label in labels):
        return None
    return _Listing(labels, labels, (cue.start(1), cue.end(1)))


def _bullets(text: str) -> _Listing | None:
    """Read a bulleted list of short names, each perhaps with a description after a colon or a dash."""
    bullets = list(_BULLET.finditer(text))
    described: dict[str, str] = {}
    for match in bullets:
        name, *rest = re.split(r":\s+|\s+[-\u2013\u2014]\s+", match.group(1), maxsplit=1)
        name = name.strip(" \t\"'`*:")
        if name and len(name.split()) <= _LABEL_WORDS:
            described.setdefault(name, " ".join([name, *rest]))
    if not described:
        return None
    return _Listing(list(described), list(described.values()), (bullets[0].start(), bullets[-1].end()))


def _input_beside(text: str, span: tuple[int, int]) -> str:
    """The input: the text after a heading such as `Complaint:` before or after the list, else the longer side."""
    before, after = _JSON_SHAPE.sub(" ", text[: span[0]]), _JSON_SHAPE.sub(" ", text[span[1] :])
    for side in (after, before):
        header = _HEADER.search(side)
        if header and re.search(r"\w", side[header.end() :]):
            return side[header.end() :]
    return max(after, before, key=len)


def _distinct(labels: Any) -> list[str]:
    return list(dict.fromkeys(labels))
