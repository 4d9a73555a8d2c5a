"""`length`: drops an example with more tokens than the recipe allows."""

from __future__ import annotations

from assembly.curation.rule import Candidate, Finding, Known
from assembly.lengths import tokens_of
from distillations.recipe import Length


def judge(candidate: Candidate, settings: Length, known: Known) -> Finding | None:  # noqa: ARG001
    tokens = tokens_of(candidate)
    if tokens <= settings.most_tokens:
        return None
    return Finding(f"It has {tokens} tokens; at most {settings.most_tokens} are wanted.")
