"""The seam of curation: a completion that may train in, whether a rule keeps it out, out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from completions.completion import Completion
from completions.same_input import answer_key, input_key


@dataclass
class Candidate:
    """A captured completion of the teacher that no rule has kept out yet."""

    completion: Completion

    @cached_property
    def input_key(self) -> str:
        """A digest of the question: equal for inputs that ask the same, however they are spelt."""
        return input_key(self.completion.messages)

    @cached_property
    def answer_key(self) -> str:
        """A digest of the answer: equal for answers that say the same and call the same tools."""
        return answer_key(self.message)

    @property
    def message(self) -> dict[str, Any]:
        """The teacher's answer."""
        message: dict[str, Any] = self.completion.choice["message"]
        return message

    @property
    def finish_reason(self) -> str | None:
        reason: str | None = self.completion.choice.get("finish_reason")
        return reason


@dataclass
class Known:
    """What candidates are held against: the test rows, and the answers that train already by the key of their input."""

    test_ids: set[str] = field(default_factory=set)
    test_inputs: set[str] = field(default_factory=set)
    answers: dict[str, str] = field(default_factory=dict)


type Rule = Callable[[Candidate, Known], bool]
"""Whether it keeps a candidate out. Rules are asked in the order of the registry; the first that does is counted."""
