"""Which completions may train, and why the others may not.

In: the teacher's completions and the frozen test rows. Out: one `Example` after another, each input once, and counts of
what was dropped for which reason. Only digests are held in memory.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson

from completions.completion import Completion, input_key
from foundation.ids import derived_id

_TAUGHT = ("role", "content", "name", "tool_calls", "tool_call_id")
_DROPS = ("test_leaks", "duplicates", "contradictions", "truncated", "refused", "empty", "untrainable")
_SHOWN = 20


class Example(NamedTuple):
    """One line of a training file, and where it comes from."""

    completion_id: str
    line: bytes
    validates: bool


class Curator:
    """Goes through completions once; `dropped` and `contradicted` are complete when they are through."""

    def __init__(self, *, test_ids: set[str], test_inputs: set[str], seed: int, share: float) -> None:
        self._test_ids = test_ids
        self._test_inputs = test_inputs
        self._seed = seed
        self._share = share
        self._answers: dict[str, str] = {}
        self.dropped: Counter[str] = Counter(dict.fromkeys(_DROPS, 0))
        self.contradicted: list[str] = []

    def examples(self, completions: Iterable[Completion]) -> Iterator[Example]:
        for completion in completions:
            key = input_key(completion.messages)
            reason = self._reason(completion, key)
            if reason:
                self.dropped[reason] += 1
                continue
            self._answers[key] = _digest(completion)
            validates = _fraction(self._seed, key) < self._share
            yield Example(completion.id, training_line(completion), validates)

    def _reason(self, completion: Completion, key: str) -> str | None:
        message = completion.choice["message"]
        if completion.id in self._test_ids or key in self._test_inputs:
            return "test_leaks"
        if completion.untrainable:
            return "untrainable"
        if completion.choice.get("finish_reason") not in {"stop", "tool_calls", None}:
            return "truncated"
        if message.get("refusal"):
            return "refused"
        if not message.get("content") and not message.get("tool_calls"):
            return "empty"
        known = self._answers.get(key)
        if known is None:
            return None
        if known == _digest(completion):
            return "duplicates"
        self.contradicted = [*self.contradicted, completion.id][:_SHOWN]
        return "contradictions"


def training_line(completion: Completion) -> bytes:
    """OpenAI's supervised format: the request's messages, the teacher's answer, and the tools if there were any."""
    messages = [*completion.messages, {"role": "assistant", **completion.choice["message"]}]
    line: dict[str, Any] = {
        "messages": [{name: message[name] for name in _TAUGHT if message.get(name) is not None} for message in messages]
    }
    for name in ("tools", "parallel_tool_calls"):
        if name in completion.request:
            line[name] = completion.request[name]
    return orjson.dumps(line)


def _digest(completion: Completion) -> str:
    message = completion.choice["message"]
    answer = {"content": message.get("content"), "tool_calls": message.get("tool_calls")}
    return derived_id("", orjson.dumps(answer, option=orjson.OPT_SORT_KEYS).decode())


def _fraction(seed: int, key: str) -> float:
    """A number in [0, 1) that follows from the seed and the input."""
    digest = hashlib.sha256(f"{seed}:{key}".encode()).digest()
    return int.from_bytes(digest[:8]) / (1 << 64)
