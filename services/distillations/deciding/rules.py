"""The rules of a verdict: the first that holds decides. docs/explanation/statistics.md has them."""

from __future__ import annotations

from distillations.deciding.evidence import Evidence
from distillations.gate import Gate
from distillations.verdict import Decision
from stats import Interval

_ALPHA = 0.05
_MOST_DROPPED = 0.02


def decision_of(evidence: Evidence, gate: Gate) -> Decision:
    """The first rule that holds."""
    return _decision(evidence, gate, evidence.gain_interval, evidence.p_value)


def corrected_decision(evidence: Evidence, gate: Gate) -> Decision:
    """The same with the p and the interval that are corrected for earlier looks at the rows."""
    return _decision(evidence, gate, evidence.corrected_interval, evidence.corrected_p_value)


def _decision(evidence: Evidence, gate: Gate, interval: Interval | None, p_value: float) -> Decision:
    dropped = evidence.dropped > _MOST_DROPPED * (evidence.rows + evidence.dropped)
    if interval is None or dropped or evidence.rows == 0:
        return "inconclusive"
    # McNemar's p ignores groups; for grouped rows only the clustered interval decides.
    significant = p_value < _ALPHA or gate.group_by is not None
    if interval.low > gate.min_gain and significant:
        return "beats_baseline"
    if interval.high < 0:
        return "worse"
    if interval.high < gate.useful:
        return "no_better"
    return "inconclusive"
