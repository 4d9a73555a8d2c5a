"""The seam of curation: a completion that may train in, whether a rule keeps it out, out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import BaseModel

from assembly.training_line import training_line
from completions.completion import Completion
from completions.same_input import answer_key, prefix_keys
from distillations.held_out import HeldOut
from distillations.supervised import OpenAIExample


@dataclass
class Candidate:
    """A captured completion of the teacher that no rule has kept out yet.

    `trains_history` is whether the assistant turns before its answer are learnt, too.
    """

    completion: Completion
    trains_history: bool = False

    @cached_property
    def prefix_keys(self) -> list[str]:
        """The keys of the beginnings of its conversation up to the question, the last one that of all of it."""
        return prefix_keys(self.completion.messages)

    @property
    def input_key(self) -> str:
        """A key of the question: equal for inputs that ask the same, however they are spelt."""
        return self.prefix_keys[-1]

    @cached_property
    def answer_key(self) -> str:
        """A key of the answer: equal for answers that say the same and call the same tools."""
        return answer_key(self.message)

    @cached_property
    def line(self) -> dict[str, Any]:
        """The line of the training file that it would be."""
        return training_line(self.completion, trains_history=self.trains_history)

    @property
    def message(self) -> dict[str, Any]:
        """The teacher's answer."""
        message: dict[str, Any] = self.completion.choice["message"]
        return message

    @property
    def finish_reason(self) -> str | None:
        choice = self.completion.choice
        reason: str | None = choice.get("malformed") or choice.get("finish_reason")
        return reason


@dataclass
class Known:
    """What candidates are held against: the test rows, what the trainer takes as an example, and what trains already.

    `answers` are the keys of the answers that train, by the key of their input.
    """

    held_out: HeldOut = field(default_factory=HeldOut)
    example: type[BaseModel] = OpenAIExample
    answers: dict[str, str] = field(default_factory=dict)


type Rule = Callable[[Candidate, Known], bool]
"""Whether it keeps a candidate out. Rules are asked in the order of the registry; the first that does is counted."""
