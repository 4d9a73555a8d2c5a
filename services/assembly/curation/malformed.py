"""`malformed`: drops a completion of which no line comes that the trainer takes: it would refuse the whole file.

A line of an uploaded file that is no example does not come here: `Curator` drops it by this rule before any other.
"""

from __future__ import annotations

from assembly.curation.rule import Candidate, Finding, Known


def judge(candidate: Candidate, settings: None, known: Known) -> Finding | None:  # noqa: ARG001
    fault = known.format.fault(candidate.example)
    return Finding(str(fault)) if fault else None
