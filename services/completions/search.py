r"""Search the texts of a completion: what people and models wrote, and what calls say.

In: a text. Out: whether a completion contains it; upper and lower case are the same. Roles, types, ids, finish reasons,
log probabilities and data are not text. JSON that stands in a text, such as a call's arguments, is searched as it is
written and as it is read, where `Z\u00fcrich` is Zürich.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from completions.completion import Completion
from foundation import foreign_json
from foundation.foreign_json import NotJSON

_NO_TEXT = frozenset(
    {
        "role",
        "type",
        "id",
        "tool_call_id",
        "call_id",
        "file_id",
        "finish_reason",
        "detail",
        "format",
        "signature",
        "encrypted_content",
        "data",
        "file_data",
        "cache_control",
    }
)
_IN_JSON = re.compile(r"\s*[{\[]")
_ESCAPED = re.compile(r'[\x00-\x1f"\\/]+')
_DATA_URL = re.compile(r"data:[\w.+-]+/[^,]{0,256},")


def may_contain(line: bytes, text: str) -> bool:
    """Whether a completion with this line of JSON may contain the text. False is certain, True is not.

    What JSON writes as it is must stand in the line, unless some JSON within a text of it has escapes.
    """
    folded = line.decode().casefold()
    plain = max(_ESCAPED.split(text.casefold()), key=len)
    return plain in folded or r"\\u" in folded


def contains(completion: Completion, text: str) -> bool:
    """Whether the text is in a message or an answer."""
    choices = [] if completion.failed else completion.response["choices"]
    answers = [choice.get("message") for choice in choices if isinstance(choice, dict)]
    wanted = text.casefold()
    return any(wanted in part.casefold() for part in _texts([*completion.messages, *answers]))


def _texts(value: Any) -> Iterator[str]:
    """The texts in messages, without what is no text."""
    match value:
        case str():
            if not _DATA_URL.match(value):
                yield value
                yield from _read(value)
        case dict():
            for name, inner in value.items():
                if name not in _NO_TEXT:
                    yield from _texts(inner)
        case list():
            for inner in value:
                yield from _texts(inner)


def _read(text: str) -> Iterator[str]:
    """The texts of the JSON in a text, if it is some, with the names of its fields: they are all the application's."""
    if not _IN_JSON.match(text):
        return
    try:
        values = [foreign_json.read(text.encode())]
    except NotJSON:
        return
    while values:
        match values.pop():
            case str() as member:
                yield member
            case dict() as member:
                yield from member
                values += member.values()
            case list() as member:
                values += member
