"""The lab's one tokenizer: what `usage` and `trained_tokens` count, the same for every model.

A token is up to six letters of a word, up to three digits, or one other visible character; white space
belongs to the token after it. A message costs its content's tokens and one for its role. These are counts of
the text that was really sent and answered; they are not any provider's counts.
"""

import re
from collections.abc import Iterable
from typing import Any

from local.lab.messages import content_text

_TOKEN = re.compile(r"[^\W\d_]{1,6}|\d{1,3}|[^\w\s]|_")
_PIECE = re.compile(rf"\s*(?:{_TOKEN.pattern})|\s+$")


def count(text: str) -> int:
    return len(_TOKEN.findall(text))


def count_messages(messages: Iterable[dict[str, Any]]) -> int:
    return sum(1 + count(content_text(message.get("content"))) for message in messages)


def pieces(text: str) -> list[str]:
    """Split a text into its tokens with their white space; joined they are the text again."""
    return _PIECE.findall(text)
