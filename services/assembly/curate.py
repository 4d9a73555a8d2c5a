"""Curate completions: which may train, and which rule keeps the others out.

In: the teacher's completions and the frozen test rows. Out: one `Example` after another, each input once, and counts of
what each rule dropped. Only digests are held in memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson

from assembly.curation import RULES, Candidate, Known
from completions.completion import Completion
from distillations.dataset import validates
from foundation.consumer import logger

_TAUGHT = ("role", "content", "name", "tool_calls", "tool_call_id")
_SHOWN = 20
_UNTRAINABLE = "untrainable"
# What computing raises on a completion that is not quite a chat completion.
_ODD = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class Example(NamedTuple):
    """One line of a training file, and where it comes from."""

    completion_id: str
    line: bytes
    validates: bool


class Curator:
    """Goes through completions once; `selected`, `dropped` and `dropped_ids` are complete when they are through.

    `dropped` counts by rule; `dropped_ids` names the first 20 completions of each rule.
    """

    def __init__(self, *, test_ids: set[str], test_inputs: set[str], seed: int, share: float) -> None:
        self._known = Known(test_ids=test_ids, test_inputs=test_inputs)
        self._seed = seed
        self._share = share
        self.selected = 0
        self.dropped: Counter[str] = Counter(dict.fromkeys(RULES, 0))
        self.dropped_ids: dict[str, list[str]] = {name: [] for name in RULES}

    def examples(self, completions: Iterable[Completion]) -> Iterator[Example]:
        for completion in completions:
            self.selected += 1
            try:
                example = self._example(Candidate(completion))
            except _ODD as error:
                logger().warning(
                    "odd completion", extra={"completion_id": completion.id, "error": type(error).__name__}
                )
                self._count(_UNTRAINABLE, completion)
                continue
            if example:
                yield example

    def _example(self, candidate: Candidate) -> Example | None:
        """The example, unless a rule drops it. A completion on which this raises is dropped: no trainer takes it."""
        completion = candidate.completion
        rule = next((name for name, drops in RULES.items() if drops(candidate, self._known)), None)
        if rule:
            self._count(rule, completion)
            return None
        line = training_line(completion)
        self._known.answers[candidate.input_key] = candidate.answer_key
        return Example(completion.id, line, validates(self._seed, candidate.input_key, self._share))

    def _count(self, rule: str, completion: Completion) -> None:
        self.dropped[rule] += 1
        if len(self.dropped_ids[rule]) < _SHOWN:
            self.dropped_ids[rule].append(completion.id)


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
