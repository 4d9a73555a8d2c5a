"""What is odd about a row among the others of its file: no trainer refuses it, and a person should look at it.

In: the rows of a file one by one. Out: for each the codes of what is odd: it stands twice, its question has another
answer elsewhere, it is longer than the shortest window of a model that is trained; and at the end the answers that are
no JSON where nearly all others are, some of them for a code fence around it alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from completions.messages import text_of
from distillations.formats.format import Row

_MOST_COMPARED = 200_000
_WINDOW = 16_385
"""The tokens of the shortest window of a model that OpenAI trains."""
_BYTES_A_TOKEN = 4
"""Of English four letters are one, of Chinese about one, which is three bytes."""
_FENCE = "```"
_OPENING = re.compile(r"```[a-z]*[ \t]*\r?")
_NEARLY_ALL = 9
"""How many answers are JSON for each one that is not, where the file's answers should be."""


class OtherTarget(NamedTuple):
    """A line whose answer is no JSON, and whether it is JSON in a code fence."""

    number: int
    fenced: bool


class Compared:
    """The rows that were seen."""

    def __init__(self) -> None:
        self._answers: dict[int, tuple[int, int]] = {}
        self._json = 0
        self._other: list[OtherTarget] = []
        self._others = 0

    def oddities(self, number: int, row: Row) -> Iterator[tuple[str, str]]:
        """The codes and words of what is odd about the row on this line."""
        asked, answer = _parts(row)
        tokens = _bytes(row) // _BYTES_A_TOKEN
        if tokens > _WINDOW:
            yield "over_token_limit", f"the row has about {tokens} tokens, more than {_WINDOW}"
        self._note_target(number, answer)
        question, said = _digest(asked), _digest(answer)
        known = self._answers.get(question)
        if known is None:
            if len(self._answers) < _MOST_COMPARED:
                self._answers[question] = number, said
        elif known[1] == said:
            yield "duplicate_row", f"the row stands on line {known[0]}, too"
        else:
            yield "conflicting_target", f"line {known[0]} has another answer to the same question"

    def other_targets(self) -> Iterator[OtherTarget]:
        """The lines whose answer is no JSON, where nearly all others are."""
        if self._json >= _NEARLY_ALL * max(1, self._others):
            yield from self._other

    def _note_target(self, number: int, answer: Any) -> None:
        content = answer.get("content") if isinstance(answer, dict) else None
        if not isinstance(content, str):
            return
        if _is_json(content):
            self._json += 1
            return
        self._others += 1
        if len(self._other) < _MOST_COMPARED:
            self._other.append(OtherTarget(number, without_fence(content) is not None))


def without_fence(text: str) -> str | None:
    """The JSON in a text that is nothing but JSON in a code fence; None for any other text."""
    opening, _, rest = text.strip().partition("\n")
    if not _OPENING.fullmatch(opening) or not rest.endswith(_FENCE):
        return None
    inner = rest.removesuffix(_FENCE).strip()
    return inner if _is_json(inner) else None


def _parts(row: Row) -> tuple[Any, Any]:
    """What a row asks, and what it answers. One question may have many pairs: of those only the same is told."""
    messages = row.get("messages")
    if isinstance(messages, list) and messages:
        return [messages[:-1], row.get("tools")], messages[-1]
    return row, None


def _bytes(row: Row) -> int:
    asked = row.get("input")
    messages = row.get("messages") or (asked.get("messages") if isinstance(asked, dict) else None)
    spoken = messages if isinstance(messages, list) else []
    texts = (text_of(message.get("content")) for message in spoken if isinstance(message, dict))
    return sum(len(text.encode(errors="surrogatepass")) for text in texts)


def _digest(part: Any) -> int:
    raw = orjson.dumps(part, option=orjson.OPT_SORT_KEYS)
    return int.from_bytes(hashlib.blake2b(raw, digest_size=8).digest())


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True
