"""Two completions side by side: what they have in common, and where their texts differ, word by word.

In: two completions with their messages. Out: a line a message and answer, with both texts in pieces that are equal or
not. Texts are compared as far as a page shows them; the rest is told by its length.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any, NamedTuple

from dashboard import turns
from dashboard.shown import beginning
from dashboard.turns import Turn
from foundation.words import CHARACTER, SPACED

_LETTERS = 1_500
_MOST_WORDS = 250
_MOST_PIECES = 80
"""The most pieces of a text: each costs a page a dozen bytes."""
_WORDS = (re.compile(rf"\s+|(?:{SPACED}+|{CHARACTER}|[^\w\s])\s*"), re.compile(r"\s+|(?:\w+|[^\w\s])\s*"))
"""Words, and for long texts longer ones: in a script without spaces a character, and then all between two signs. A word
goes with the blanks behind it: compared by themselves, those of two texts with no word in common would all be equal,
and each such pair of texts would take seconds."""


class Piece(NamedTuple):
    """A piece of a text, and whether the other text has it, too."""

    text: str
    same: bool


class Side(NamedTuple):
    """One of the two: who said it, and what, in pieces; `also` names what is no text."""

    role: str
    pieces: list[Piece]
    also: str


class Pair(NamedTuple):
    """A message or an answer of both; None where one has no such."""

    first: Side | None
    second: Side | None
    same: bool


def pairs(first: list[Any], second: list[Any]) -> list[Pair]:
    """The messages of both in their order."""
    return [_pair(*both) for both in zip_longest(map(turns.turn, first), map(turns.turn, second))]


def _pair(first: Turn | None, second: Turn | None) -> Pair:
    if first is None or second is None:
        return Pair(_side(first, None), _side(second, None), same=False)
    texts = [beginning(turn.text, _LETTERS) for turn in (first, second)]
    ours, theirs = _pieces(*texts)
    return Pair(_side(first, ours), _side(second, theirs), same=first == second)


def _side(turn: Turn | None, pieces: list[Piece] | None) -> Side | None:
    if turn is None:
        return None
    also = [f"calls {call.name}({beginning(call.arguments, 200)})" for call in turn.calls]
    also += [f"a part: {part.kind}" for part in turn.parts] + (["a refusal"] if turn.refusal else [])
    return Side(turn.role, pieces or [Piece(beginning(turn.text, _LETTERS), same=False)], "; ".join(also))


def _pieces(first: str, second: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts in pieces. Texts of very many words are compared as wholes: word by word would take too long."""
    cut = ((words.findall(first), words.findall(second)) for words in _WORDS)
    fitting = next((both for both in cut if max(map(len, both)) <= _MOST_WORDS), None)
    if fitting is None:
        return [Piece(first, first == second)], [Piece(second, first == second)]
    ours, theirs = fitting
    left: list[Piece] = []
    right: list[Piece] = []
    for kind, i, j, k, m in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if i < j:
            left.append(Piece("".join(ours[i:j]), kind == "equal"))
        if k < m:
            right.append(Piece("".join(theirs[k:m]), kind == "equal"))
    if max(len(left), len(right)) > _MOST_PIECES:
        return [Piece(first, same=False)], [Piece(second, same=False)]
    return left, right
