"""`unfinished`: drops an answer whose end is none that we know; one without a finish_reason counts as whole.

What was cut off at its limit or by a filter has rules of its own.
"""

from __future__ import annotations

from assembly.curation.rule import Candidate, Known

_ENDS = ("stop", "tool_calls", "function_call", None)
_CUT = ("length", "content_filter")


def drops(candidate: Candidate, known: Known) -> bool:  # noqa: ARG001
    return candidate.finish_reason not in (*_ENDS, *_CUT)
