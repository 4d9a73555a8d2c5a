"""A trainer as the demo deals with it: the student's name there, what must be ready, and what a person does meanwhile.

The one of this module is the lab as OpenAI's API, for which nothing is to be done; others derive from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from openai import OpenAI


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Where a trainer of the demo works. `student` is a model of the lab; `say` tells whoever watches."""

    client: OpenAI
    lab_url: str
    fakes_url: str
    endpoint_url: str
    student: str
    say: Callable[[str], None]


class Trainer:
    """The lab as OpenAI's API: nothing is to be made ready, and nobody must help."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around

    @property
    def student(self) -> str:
        """The student's name in the distillation."""
        return self.around.student

    def prepare(self) -> float:
        """Make ready what the loop needs; when every function knows it, by the monotonic clock."""
        return 0.0

    def help(self, job_id: str) -> None:
        """Called again and again while a job trains."""
