"""Curate completions: which may train, and which rule keeps the others out.

In: the teacher's completions and the frozen test rows. Out: one `Example` after another, each input once, and counts of
what each rule dropped. Only digests are held in memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import orjson

from assembly.curation import RULES, Candidate, Known
from assembly.training_line import history_turns
from completions.completion import Completion
from distillations.dataset import validates
from distillations.supervised import problem_of
from foundation.consumer import logger

_SHOWN = 20
_UNTRAINABLE = "untrainable"
_MALFORMED = "malformed"
# What computing raises on a completion that is not quite a chat completion.
_ODD = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class Example(NamedTuple):
    """One line of a training file, and where it comes from."""

    completion_id: str
    line: bytes
    validates: bool
    history_turns: int
    """The assistant turns before the answer."""


class Curator:
    """Goes through completions once; `selected`, `dropped` and `dropped_ids` are complete when they are through.

    `dropped` counts by rule; `dropped_ids` names the first 20 completions of each rule, and `problems` says why the
    trainer would refuse the first 20 malformed ones.
    """

    def __init__(self, known: Known, *, seed: int, share: float, trains_history: bool = False) -> None:
        self._known = known
        self._seed = seed
        self._share = share
        self._trains_history = trains_history
        self.selected = 0
        self.dropped: Counter[str] = Counter(dict.fromkeys(RULES, 0))
        self.dropped_ids: dict[str, list[str]] = {name: [] for name in RULES}
        self.problems: list[str] = []

    def examples(self, completions: Iterable[Completion]) -> Iterator[Example]:
        for completion in completions:
            self.selected += 1
            try:
                example = self._example(Candidate(completion, self._trains_history))
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
            if rule == _MALFORMED and len(self.problems) < _SHOWN:
                self.problems.append(f"{completion.id}: {problem_of(candidate.line, self._known.example)}")
            return None
        line = orjson.dumps(candidate.line)
        self._known.answers[candidate.input_key] = candidate.answer_key
        held_back = validates(self._seed, candidate.input_key, self._share)
        return Example(completion.id, line, held_back, history_turns(candidate.line))

    def _count(self, rule: str, completion: Completion) -> None:
        self.dropped[rule] += 1
        if len(self.dropped_ids[rule]) < _SHOWN:
            self.dropped_ids[rule].append(completion.id)
