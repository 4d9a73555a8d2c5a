"""`filtered`: drops an answer that the provider's filter cut off."""

from __future__ import annotations

from assembly.curation.rule import Candidate, Finding, Known
from distillations.answer_steps import Filtered


def judge(candidate: Candidate, settings: Filtered, known: Known) -> Finding | None:  # noqa: ARG001
    cut = candidate.finish_reason == "content_filter"
    return Finding("The provider's filter cut the answer off.") if cut else None
