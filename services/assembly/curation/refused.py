"""`refused`: drops an answer by which the teacher refused."""

from __future__ import annotations

from assembly.curation.rule import Candidate, Known


def drops(candidate: Candidate, known: Known) -> bool:  # noqa: ARG001
    return bool(candidate.message.get("refusal"))
