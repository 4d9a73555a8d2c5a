"""One line that a person understands: what was compared, on how many rows, and what may be believed."""

from __future__ import annotations

from verdict.compare import Evidence

_CLAIMS = {
    "beats_baseline": "beats its baseline",
    "no_better": "is no better than its baseline",
    "worse": "is worse than its baseline",
    "inconclusive": "is not proven to beat its baseline",
}


def sentence(outcome: str, evidence: Evidence, models: dict[str, str]) -> str:
    """The verdict in words, with gain and interval in points."""
    ours, theirs = evidence.scores["distilled"], evidence.scores["baseline"]
    told = (
        f"{models['distilled']} {_CLAIMS[outcome]} {models['baseline']}: {ours.score:.1%} against "
        f"{theirs.score:.1%} on {evidence.rows} test rows, {_gain(evidence)}."
    )
    if evidence.gap_closed is not None:
        told += f" It closes {evidence.gap_closed:.0%} of the gap to {models['teacher']}."
    worse = [one.tag for one in evidence.slices if one.worse]
    if worse:
        told += f" Worse on: {', '.join(worse)}."
    if evidence.dropped:
        told += f" {evidence.dropped} rows were left out because of errors."
    return told


def _gain(evidence: Evidence) -> str:
    interval = evidence.gain_interval
    if not evidence.rows:
        return "since no row was graded for all three models"
    gain = f"{100 * evidence.counts.gain:+.1f} points"
    if interval is None:
        return f"{gain}, too few groups for an interval"
    return f"{gain} (95% interval {100 * interval.low:+.1f} to {100 * interval.high:+.1f})"
