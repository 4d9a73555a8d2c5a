"""`dropped_by_hand`: drops a completion that a person wants to keep out: the recipe's `drop` names it."""

from __future__ import annotations

from assembly.curation.rule import Candidate, Finding, Known


def judge(candidate: Candidate, settings: None, known: Known) -> Finding | None:  # noqa: ARG001
    return Finding("A person keeps it out.") if candidate.completion.id in known.drop else None
