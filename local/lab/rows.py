"""Read a fine-tuning file: chat JSONL whose rows end with the assistant's answer.

In: the bytes of an uploaded file. Out: its examples and how many tokens they hold. Fails with `RowError`,
which names the line, as OpenAI's validation does. Of a row only `messages` is read, whatever else it carries.
A row whose answer has `weight` 0 is counted, but there is nothing to learn from it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from local.lab.messages import content_text, render
from local.lab.student import Example
from local.lab.tokens import count_messages

FEWEST_ROWS = 10
_ROLES = {"system", "developer", "user", "assistant", "tool", "function"}
_KEYS = {"role", "content", "name", "weight", "refusal", "tool_calls", "tool_call_id", "function_call"}


class RowError(Exception):
    """What is wrong with a training file, as a sentence that names the line."""


@dataclass(frozen=True, slots=True)
class TrainingFile:
    """The examples of a fine-tuning file, and its number of tokens."""

    examples: list[Example]
    tokens: int


def read_training_file(content: bytes, *, fewest: int = FEWEST_ROWS) -> TrainingFile:
    rows = list(_rows(content))
    if len(rows) < fewest:
        raise RowError(f"The file has {len(rows)} rows, and needs at least {fewest}.")
    examples = [
        Example(render(messages[:-1]), content_text(messages[-1]["content"]))
        for messages in rows
        if messages[-1].get("weight") != 0
    ]
    if not examples:
        raise RowError("Every answer of the file has weight 0; there is nothing to learn.")
    return TrainingFile(examples, sum(count_messages(messages) for messages in rows))


def _rows(content: bytes) -> Iterator[list[dict[str, Any]]]:
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise RowError(f"Line {number} is not valid JSON: {error}.") from error
        problem = _problem(row)
        if problem:
            raise RowError(f"Line {number}: {problem}.")
        yield row["messages"]


def _problem(row: Any) -> str | None:
    if not isinstance(row, dict):
        return "the row is not a JSON object"
    messages = row.get("messages")
    if not isinstance(messages, list) or not messages:
        return "'messages' must be a list with at least one message"
    for index, message in enumerate(messages):
        if problem := _message_problem(message):
            return f"messages[{index}] {problem}"
    last = messages[-1]
    if last["role"] != "assistant":
        return "the last message must be the assistant's answer"
    if not content_text(last.get("content")).strip():
        return "the assistant's answer has no text; the lab's students learn text answers only"
    return None


def _message_problem(message: Any) -> str | None:
    if not isinstance(message, dict):
        return "is not an object"
    if message.get("role") not in _ROLES:
        return f"has the unknown role {message.get('role')!r}"
    if unknown := sorted(message.keys() - _KEYS):
        return f"has the unknown key '{unknown[0]}'"
    if message.get("weight", 0) not in (0, 1):
        return "has a weight other than 0 and 1"
    return _content_problem(message)


def _content_problem(message: dict[str, Any]) -> str | None:
    content = message.get("content")
    if content is None:
        return None if message.get("tool_calls") or message.get("function_call") else "has no content"
    return None if isinstance(content, str | list) else "has a content that is neither text nor parts"
