"""`kept_by_hand`: keeps a completion that a person wants to train, whatever a step finds: the recipe's `keep` names it.

Test rows, leaks, and what no trainer takes stay out nevertheless.
"""

from __future__ import annotations

from assembly.curation.rule import Candidate, Finding, Known


def judge(candidate: Candidate, settings: None, known: Known) -> Finding | None:  # noqa: ARG001
    if candidate.completion.id not in known.keep:
        return None

    def rewrite(kept: Candidate) -> None:
        kept.kept = True

    return Finding("A person keeps it, whatever a step finds in it.", rewrite=rewrite)
