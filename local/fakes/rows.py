"""Training lines of AWS's formats, checked as AWS documents them and turned into rows of the lab.

In: JSONL of `bedrock-conversation-2024` or `dpo` (Nova), or of messages or pairs with plain text (SageMaker's open
models). Out: rows of OpenAI's form. Fails with `RowProblem`, which names the line.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

SCHEMA = "bedrock-conversation-2024"
# In a prompt these end a job of Nova.
_RESERVED = ("User:", "Bot:", "Assistant:", "System:", "<image>", "<video>", "[EOS]")
_TEXT_ROLES = {"system", "user", "assistant"}

type Row = dict[str, Any]


class RowProblem(Exception):
    """What is wrong with a training file, as a sentence that names the line."""


def converse_rows(lines: bytes) -> list[Row]:
    """The rows of a file for Nova. Turns alternate, the user's first and the assistant's last; all content is text."""
    return _rows(lines, _converse_row)


def text_rows(lines: bytes) -> list[Row]:
    """The rows of a file of `{"messages"}` whose contents are texts of system, user and assistant."""
    return _rows(lines, _text_row)


def preference_rows(lines: bytes) -> list[Row]:
    """The chosen side of a file of `{"prompt", "chosen", "rejected"}`, SageMaker's `hf_preference` of messages."""
    return _rows(lines, _preference_row)


def candidate_rows(lines: bytes) -> list[Row]:
    """The preferred side of a file of SageMaker's `dpo`: Converse's turns, the last one with candidates."""
    return _rows(lines, _candidate_row)


def _rows(lines: bytes, read: Callable[[Any], Row]) -> list[Row]:
    rows = []
    for number, line in enumerate(lines.splitlines(), start=1):
        try:
            rows.append(read(orjson.loads(line)))
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise RowProblem(f"Line {number}: {error}") from error
    if not rows:
        raise RowProblem("The file has no lines.")
    return rows


def _converse_row(document: Any) -> Row:
    _only(document, {"schemaVersion", "system", "messages"})
    if not isinstance(document["schemaVersion"], str):
        raise TypeError("schemaVersion is no string")
    system = [{"role": "system", "content": _text(document["system"])}] if document.get("system") else []
    turns = document["messages"]
    for index, turn in enumerate(turns):
        _only(turn, {"role", "content"})
        expected = "assistant" if index % 2 else "user"
        if turn["role"] != expected:
            raise ValueError(f"turn {index} is the {turn['role']}'s, and must be the {expected}'s")
    if len(turns) % 2 or not turns:
        raise ValueError("the last turn is not the assistant's")
    for prompt in [*system, *({"content": _text(turn["content"])} for turn in turns[::2])]:
        if keyword := next((word for word in _RESERVED if word in prompt["content"]), None):
            raise ValueError(f"the prompt has the reserved keyword {keyword}")
    messages = [{"role": turn["role"], "content": _text(turn["content"])} for turn in turns]
    return {"messages": [*system, *messages]}


def _text(blocks: Any) -> str:
    for block in blocks:
        _only(block, {"text"})
        if not block["text"]:
            raise ValueError("a text is empty")
    return "\n".join(block["text"] for block in blocks)


def _text_row(document: Any) -> Row:
    messages = document["messages"]
    for message in messages:
        _only(message, {"role", "content"})
        if message["role"] not in _TEXT_ROLES:
            raise ValueError(f"the role {message['role']} is none of {', '.join(sorted(_TEXT_ROLES))}")
        if not isinstance(message["content"], str):
            raise TypeError("a content is no string")
    if not messages or messages[-1]["role"] != "assistant":
        raise ValueError("the last message is not the assistant's")
    return {"messages": messages}


def _preference_row(document: Any) -> Row:
    _only(document, {"prompt", "chosen", "rejected"})
    sides = {name: _text_row({"messages": [*document["prompt"], *document[name]]}) for name in ("chosen", "rejected")}
    if sides["chosen"] == sides["rejected"]:
        raise ValueError("both answers are the same")
    return sides["chosen"]


def _candidate_row(document: Any) -> Row:
    *turns, last = document["messages"]
    _only(last, {"role", "candidates"})
    sides = {}
    for candidate in last["candidates"]:
        _only(candidate, {"content", "preferenceLabel"})
        turn = {"role": last["role"], "content": candidate["content"]}
        sides[candidate["preferenceLabel"]] = _converse_row({**document, "messages": [*turns, turn]})
    if set(sides) != {"preferred", "non-preferred"}:
        raise ValueError("the candidates are not one that is preferred and one that is not")
    return sides["preferred"]


def _only(document: Any, names: set[str]) -> None:
    if unknown := sorted(document.keys() - names):
        raise ValueError(f"the field {unknown[0]} is not known")
