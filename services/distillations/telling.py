"""The words about a distillation: a verdict's sentence and evidence, why it is blocked, why it failed.

In: the documents. Out: text for people, and the `Notification` that every channel sends. API, dashboard, channels and
command all take their words from here.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from distillations.cascade import CascadePart
from distillations.contender import AgainstContender, Prompted
from distillations.distillation import Distillation
from distillations.failure import Failure
from distillations.model_score import ModelScore
from distillations.plan import Plan
from distillations.verdict import Decision, Verdict
from distillations.verdict_parts import Reuse, Saving
from evals.calibrations import JudgeReliability
from evals.call_costs import CallFigures
from foundation.bounds import cut
from foundation.document import Document
from foundation.ids import derived_id
from foundation.settings import settings
from foundation.wording import counted

_CLAIMS: dict[Decision, str] = {
    "beats_baseline": "beats its baseline",
    "no_better": "is no better than its baseline",
    "worse": "is worse than its baseline",
    "inconclusive": "is not proven to beat its baseline",
}
_NAMED = 5


class Notification(Document):
    """The notification about a distillation that people and programs get through every channel."""

    type: Literal["verdict", "blocked", "failed"]
    id: str
    """The verdict's id, or the distillation's, by which a receiver recognises a repetition."""
    sentence: str
    distillation_id: str
    verdict: Verdict | None = None
    plan: Plan | None = None
    error: Failure | None = None
    at: int = Field(exclude=True)
    """When it happened, in seconds since the epoch."""
    lines: list[str] = Field(default_factory=list, exclude=True)
    """What people read below the sentence: the evidence, or how to go on."""

    def document(self) -> dict[str, Any]:
        """The JSON for programs: with `verdict` always, with `plan` and `error` where there is one."""
        fields = self.model_dump(mode="json")
        return {name: value for name, value in fields.items() if value is not None or name == "verdict"}

    @property
    def url(self) -> str:
        """The page of the dashboard that shows it."""
        return page_of(self.distillation_id)

    @property
    def command(self) -> str:
        """The command that shows it."""
        return f"stillhouse verdict {self.distillation_id}"


def page_of(distillation_id: str) -> str:
    """The page of a distillation in the dashboard."""
    return f"{settings().API_URL.removesuffix('/v1')}/distillations/{distillation_id}"


def of_verdict(verdict: Verdict) -> Notification:
    """The notification that a distillation is decided."""
    return Notification(
        type="verdict",
        id=verdict.id,
        sentence=verdict.sentence,
        distillation_id=verdict.distillation_id,
        verdict=verdict,
        at=verdict.created_at,
        lines=evidence_lines(verdict),
    )


def of_blocked(distillation: Distillation) -> Notification:
    """The notification that the gate stopped a distillation before it spent money."""
    reasons = distillation.plan.reasons if distillation.plan else []
    return Notification(
        type="blocked",
        id=_blocked_id(distillation),
        sentence=cut(f"The distillation '{distillation.name}' is blocked before spending: {' '.join(reasons)}"),
        distillation_id=distillation.id,
        plan=distillation.plan,
        at=distillation.came_to("blocked"),
        lines=[f"To go on all the same: POST /v1/distillations/{distillation.id}/approve"],
    )


def _blocked_id(distillation: Distillation) -> str:
    """Its own id, and another one each further time: that it is blocked again is news."""
    times = sum(step.status == "blocked" for step in distillation.history)
    return distillation.id if times <= 1 else derived_id("blocked_", distillation.id, times)


def of_failed(distillation: Distillation) -> Notification:
    """The notification that a distillation ended without a verdict."""
    reason = distillation.error.message if distillation.error else "no reason is recorded"
    return Notification(
        type="failed",
        id=distillation.id,
        sentence=f"The distillation '{distillation.name}' failed: {reason}",
        distillation_id=distillation.id,
        error=distillation.error,
        at=distillation.came_to("failed"),
    )


def sentence(verdict: Verdict) -> str:
    """The verdict in one line: what was compared, on how many rows, and what may be believed. Gains are in points."""
    distilled, baseline = verdict.scores["distilled"], verdict.scores["baseline"]
    scores = f"{distilled.score:.1%} against {baseline.score:.1%} on {verdict.rows} test rows"
    parts = [f"{distilled.model} {_CLAIMS[verdict.outcome]} {baseline.model}: {scores}, {_gain(verdict)}."]
    if verdict.gap_closed is not None:
        parts.append(f"It closes {verdict.gap_closed:.0%} of the gap to {verdict.scores['teacher'].model}.")
    parts += _contenders_sentence(verdict)
    if verdict.slices_worse:
        parts.append(f"Worse on: {_some([worse.tag for worse in verdict.slices_worse])}.")
    if verdict.dropped:
        parts.append(
            f"{counted(verdict.dropped, 'row')} {'was' if verdict.dropped == 1 else 'were'} left out because of errors."
        )
    return cut(" ".join(parts))


def _some(names: list[str]) -> str:
    """The first of them, and how many more there are."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def evidence_lines(verdict: Verdict) -> list[str]:
    """The figures of a verdict, one line each: models, rows won and lost, money, what speaks against it, judges."""
    lines = [
        f"{role:<9} {score_line(score)}, {cost_ratio(verdict.cost_ratio.get(role))}{_calls(verdict.calls.get(role))}"
        for role, score in verdict.scores.items()
    ]
    if verdict.attempts_tried > 1:
        lines.append(f"the best of {verdict.attempts_tried} attempts on the validation rows, which are no test rows")
    lines.append(f"rows won {verdict.won}, lost {verdict.lost}, exact McNemar p = {verdict.p_value:.4g}")
    lines += [contender_line(contender) for contender in verdict.contenders]
    needed = verdict.rows_needed.observed
    if verdict.outcome == "inconclusive" and needed:
        lines.append(f"At the observed gain, about {needed} rows would show it with {verdict.gate.power:.0%} power.")
    lines += _teacher_line(verdict) + _saving_lines(verdict.saving) + cascade_lines(verdict.cascade)
    lines += _reuse_line(verdict.reuse)
    lines += [f"training set: {warning}" for warning in _concerns(verdict)[:_NAMED]]
    return lines + [judge_line(name, card) for name, card in list(verdict.judges.items())[:_NAMED]]


def _calls(calls: CallFigures | None) -> str:
    """What a thousand calls cost and how long one takes, as far as it is known."""
    cost = calls and calls.usd_per_1000
    times = calls and calls.latency_p95_ms is not None
    return (f", ${cost:.4g} per 1,000 calls" if cost is not None else "") + (
        f", p50 {calls.latency_p50_ms} ms, p95 {calls.latency_p95_ms} ms" if calls and times else ""
    )


def _teacher_line(verdict: Verdict) -> list[str]:
    if not verdict.as_good_as_teacher:
        return []
    return [f"as good as the teacher, within {100 * verdict.gate.margin:g} points"]


def _saving_lines(saving: Saving | None) -> list[str]:
    """What it saves and when it has paid for itself; nothing where no cost is known."""
    if saving is None or saving.usd_per_1000 is None:
        return []
    less = saving.usd_per_1000
    parts = [f"saves ${less:.4g} per 1,000 calls" if less >= 0 else f"costs ${-less:.4g} more per 1,000 calls"]
    month = saving.usd_per_month
    if month is not None:
        told = f"${month:,.2f}" if month >= 0 else f"costs ${-month:,.2f} more"
        parts.append(f"{told} a month at {saving.requests_per_month:,} captured requests")
    if saving.break_even_requests is not None:
        parts.append(f"paid for after {saving.break_even_requests:,} requests")
    return [", ".join(parts)]


def cascade_lines(cascade: CascadePart | None) -> list[str]:
    """What a cascade would keep, lose and cost, and the target that makes an alias use it."""
    lines = []
    for found in cascade.sources if cascade else []:
        if cascade is None or found.target is None or found.share is None or found.passed is None:
            continue
        cost = "" if found.usd_per_1000 is None else f", ${found.usd_per_1000:.4g} per 1,000 calls"
        within = (
            f"at most {100 * cascade.margin:g} points worse than the teacher with {cascade.confidence:.0%} confidence"
        )
        keeps = f"the model keeps {found.share:.0%} of the calls, the teacher answers the others"
        lines.append(f"cascade: {keeps}: {found.passed.pass_rate:.1%}{cost}, {within}")
        used = found.target.cascade
        lines.append(f"use it: --cascade '{found.target.model}={used.threshold!r} {used.to}' of stillhouse alias set")
    return lines


def _reuse_line(reuse: Reuse | None) -> list[str]:
    if reuse is None or reuse.looks <= 1:
        return []
    held = "holds" if reuse.outcome_holds else "does not hold"
    corrected = f"corrected for that, it {held} (p = {reuse.adjusted_p_value:.4g})"
    return [f"the outcome is number {reuse.looks} on these rows: {corrected}"]


def _concerns(verdict: Verdict) -> list[str]:
    """What speaks against the training set: leaks that were kept out, then the first sentences of its report."""
    learnt_from = verdict.training_set
    if learnt_from is None:
        return []
    leaks = [
        f"{counted(number, 'completion')} {'was' if number == 1 else 'were'} kept out as {rule}"
        for rule, number in learnt_from.leaks.items()
    ]
    return leaks + learnt_from.warnings


def score_line(score: ModelScore) -> str:
    """A model's score with its interval."""
    low, high = score.interval
    return f"{score.model}: {score.passed}/{score.total} = {score.score:.1%} ({low:.1%} to {high:.1%})"


def cost_ratio(ratio: float | None) -> str:
    """What a call costs beside a call of the teacher."""
    return "no price" if ratio is None else f"{ratio:.3f} of the teacher's cost"


def contender_line(contender: AgainstContender | Prompted) -> str:
    """What a model scores that was only prompted, and what it costs."""
    if contender.score is None:
        return f"prompted  {contender.model}: {contender.error}"
    return f"prompted  {score_line(contender.score)}, {cost_ratio(contender.cost_ratio)}"


def judge_line(name: str, card: JudgeReliability | None) -> str:
    """How far a judge agrees with people."""
    if card is None or card.agreement is None:
        return f"judge {name}: not calibrated"
    kappa = "" if card.kappa is None else f", kappa {card.kappa:.2f}"
    changed = " (changed since)" if card.stale else ""
    return f"judge {name}: agrees with people on {card.agreement:.0%} of {card.n} rows{kappa}{changed}"


def _contenders_sentence(verdict: Verdict) -> list[str]:
    """Whether models that were only prompted do as well as the distilled one; nothing without contenders."""
    as_well = [contender.score for contender in verdict.contenders if contender.does_as_well and contender.score]
    unbeaten = [contender.model for contender in verdict.contenders if contender.finding != "better"]
    if as_well:
        named = ", ".join(f"{score.model} ({score.score:.1%})" for score in as_well)
        return [f"As good by prompting alone, within {100 * verdict.gate.margin:g} points: {named}."]
    if unbeaten:
        return [f"It is not proven to beat these, which are only prompted: {', '.join(unbeaten)}."]
    beaten = ", ".join(contender.model for contender in verdict.contenders)
    return [f"It also beats these, which are only prompted: {beaten}."] if beaten else []


def _gain(verdict: Verdict) -> str:
    if not verdict.rows:
        return "since no row was graded for all three models"
    gain = f"{100 * verdict.gain:+.1f} points"
    if verdict.interval is None:
        return f"{gain}, too few groups for an interval"
    return f"{gain} (95% interval {100 * verdict.interval.low:+.1f} to {100 * verdict.interval.high:+.1f})"
