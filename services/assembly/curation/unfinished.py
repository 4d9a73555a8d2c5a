"""`unfinished`: drops an answer whose end is none that we know; one without a finish_reason counts as whole.

What was cut off at its limit or by a filter has rules of its own.
"""

from __future__ import annotations

from assembly.curation.rule import Candidate, Finding, Known
from distillations.answer_steps import Unfinished

_ENDS = ("stop", "tool_calls", "function_call", None)
_CUT = ("length", "content_filter")


def judge(candidate: Candidate, settings: Unfinished, known: Known) -> Finding | None:  # noqa: ARG001
    known_end = candidate.finish_reason in (*_ENDS, *_CUT)
    return None if known_end else Finding("The answer ended in a way that is not known.")
