"""`corrections`: lets a person's corrected answer train instead of the teacher's, whatever the teacher's was."""

from __future__ import annotations

from assembly.curation.rule import Candidate, Finding, Known
from distillations.dataset_row import Corrected


def judge(candidate: Candidate, settings: None, known: Known) -> Finding | None:  # noqa: ARG001
    correction = known.corrections.get(candidate.completion.id)
    if correction is None:
        return None
    completion = candidate.completion
    corrected = Corrected(
        id=correction.id,
        by=correction.by,
        note=correction.note,
        teacher=None if completion.failed else candidate.message,
        correction=correction.message,
    )

    def rewrite(changed: Candidate) -> None:
        changed.corrected = corrected

    return Finding("A person's answer trains instead of the teacher's.", rewrite=rewrite)
