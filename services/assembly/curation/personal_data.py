"""`personal_data`: masks personal data in all texts of an example, and in the answers that a correction has beside it.

What is found, and how much of it, is said in `assembly/personal_data.py` and in the documentation.
"""

from __future__ import annotations

from collections import Counter

from assembly.curation.rule import Candidate, Finding, Known
from assembly.masking import Masker
from distillations.text_steps import PersonalData


def judge(candidate: Candidate, settings: PersonalData, known: Known) -> Finding | None:  # noqa: ARG001
    masker = Masker(settings.kinds)
    # A failing answer that is paired with this one comes later, and has the same masks.
    candidate.mask = masker.message
    line = masker.line(candidate.line)
    counts = Counter(masker.counts)
    corrected = masker.corrected(candidate.corrected) if candidate.corrected else None
    if not masker.counts:
        return None

    def rewrite(changed: Candidate) -> None:
        changed.line = line
        changed.changed = True
        changed.corrected = corrected

    told = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())) or "in the answers of its correction"
    return Finding(f"Personal data was masked: {told}.", rewrite=rewrite, masked=counts)
