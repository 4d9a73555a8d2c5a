"""What the report counts of one completion: its labels, its amounts, and the words of its question.

In: a completion as it was captured, whatever is in it. Out: short values alone. A text of more than 64 characters is
content and no label, and is counted as such, without a word of it.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import Any, NamedTuple

import orjson

from assembly.masking import Mask
from assembly.report.terms import terms_in
from completions.completion import Completion
from completions.messages import calls_of, text_of
from distillations.recipe import ANSWER
from evals.slicing import LONGEST_FIELD, metadata_of, named_tags

METADATA = "metadata."
HOUR, WEEKDAY, DATE = "hour", "weekday", "date"
TOOLS, FORMAT = "tools_called", "response_format"
PROMPT = "system_prompt"
"""A digest of the system message, which tells versions of a prompt apart."""
NO_TOOLS = "none"
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SECONDS_A_DAY = 86_400
_SYSTEM = ("system", "developer")
_LONGEST_TEXT = 4_000
_MOST_WORDS = 64


class Features(NamedTuple):
    """A completion as the report counts it. A label that is None is a text too long for one."""

    id: str
    created: int
    """Seconds since the epoch."""
    labels: dict[str, str | None]
    amounts: dict[str, int]

    def packed(self) -> bytes:
        """One line, which `unpacked` reads."""
        return orjson.dumps(tuple(self)) + b"\n"

    @classmethod
    def unpacked(cls, line: bytes) -> Features:
        return cls(*orjson.loads(line))


def features_of(
    completion: Completion,
    slice_keys: Sequence[str] = (),
    corrected: dict[str, Any] | None = None,
    mask: Mask | None = None,
) -> Features:
    """The features. `slice_keys` are the paths of fields, `item.…`, that the recipe makes slices by.

    `corrected` is a person's answer in the place of the teacher's; `mask` masks what may be of a person.
    """
    labels: dict[str, str | None] = {}
    for name, value in metadata_of({"metadata": completion.metadata}).items():
        labels[label_of(name)] = _short(value)
    paths = [key for key in slice_keys if key.startswith("item.")]
    if paths:
        labels |= named_tags(paths)(completion.row(with_sample=False)["item"])
    answer = corrected or completion.choice["message"]
    text = text_of(answer.get("content"))
    said = " ".join(text.split()) if len(text) <= 2 * LONGEST_FIELD else text
    if said:
        labels[ANSWER] = _short(said)
    if mask:
        labels = {name: value and mask(value) for name, value in labels.items()}
    called = sorted({_name(call) for call in calls_of(answer)})
    labels[TOOLS] = _short(", ".join(called)) if called else NO_TOOLS
    labels["model"] = _short(completion.model)
    prompt = "\n".join(text_of(m.get("content")) for m in completion.messages if m.get("role") in _SYSTEM)
    if prompt:
        labels[PROMPT] = hashlib.blake2b(prompt.encode(errors="surrogatepass"), digest_size=4).hexdigest()
    asked_for = completion.request.get("response_format")
    if isinstance(asked_for, dict) and isinstance(asked_for.get("type"), str):
        labels[FORMAT] = _short(asked_for["type"])
    if completion.finish_reason:
        labels["finish_reason"] = completion.finish_reason
    day, second = divmod(completion.created, _SECONDS_A_DAY)
    labels[HOUR] = f"{second // 3600:02}"
    # The epoch began on a Thursday.
    labels[WEEKDAY] = DAYS[(day + 3) % 7]
    return Features(completion.id, completion.created, labels, _amounts(completion, text))


def label_of(key: str) -> str:
    """The label of a metadata key. Those of long keys are one."""
    return _short(f"{METADATA}{key}") or METADATA


def _amounts(completion: Completion, answer: str) -> dict[str, int]:
    asked = sum(len(text_of(m.get("content"))) for m in completion.messages if m.get("role") not in _SYSTEM)
    tools = completion.request.get("tools") or completion.request.get("functions")
    amounts = {
        "question_characters": asked,
        "answer_characters": len(answer),
        "messages": len(completion.messages),
        "tools_offered": len(tools) if isinstance(tools, list) else 0,
        "prompt_tokens": completion.prompt_tokens,
        "answer_tokens": completion.completion_tokens,
    }
    return {name: amount for name, amount in amounts.items() if amount is not None}


def words_of(completion: Completion, mask: Mask | None = None) -> Counter[str]:
    """The words of the last question that tell what it is about, in one case: its first 64."""
    questions = (message.get("content") for message in reversed(completion.messages) if message.get("role") == "user")
    text = text_of(next(questions, None))[:_LONGEST_TEXT]
    return Counter(islice(terms_in((mask(text) if mask else text).casefold()), _MOST_WORDS))


def day_of(days: int) -> str:
    """A day as people write it, from the number of days since the epoch."""
    return time.strftime("%Y-%m-%d", time.gmtime(days * _SECONDS_A_DAY))


def _short(text: str) -> str | None:
    return text if len(text) <= LONGEST_FIELD else None


def _name(call: Any) -> str:
    function = call.get("function") or call.get("custom") if isinstance(call, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else "unknown"
