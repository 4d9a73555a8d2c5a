"""The document of a verdict, computed from what is stored: the same as often as it is asked for.

In: a distillation, its runs, which have ended, and its set of test rows. Out: the `Verdict`, not written. Prices, what
a judge is worth and what the model costs unasked are those of now; all other figures follow from what the runs left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from distillations import telling
from distillations.cascade import CascadePart
from distillations.deciding.cascade import cascade_of
from distillations.deciding.contenders import against_contenders, beats_all
from distillations.deciding.evidence import Evidence, gather
from distillations.deciding.graders import grader_parts
from distillations.deciding.rare_slices import answers_to, rare_gains
from distillations.deciding.reuse import Looks, RowSet
from distillations.deciding.rules import corrected_decision, decision_of
from distillations.deciding.saving import saving_of
from distillations.deciding.training_set import TrainingSet, training_set
from distillations.distillation import Distillation
from distillations.idle import usd_per_month
from distillations.model_score import ModelScore
from distillations.recipe import ANSWER
from distillations.roles import ROLES, Role
from distillations.spent import spent_so_far
from distillations.verdict import Verdict
from distillations.verdict_parts import GraderPart, RareSliceGain, Reuse, RowsNeeded, Saving, SliceGain
from evals.calibrations import reliability
from evals.call_costs import call_figures, cost_of_a_call, cost_ratio, mean_latency_ms, mean_prompt_tokens
from evals.eval import Eval
from evals.gains import OutcomeByRow
from evals.outcomes import row_outcomes
from evals.run import Run
from foundation import blobs
from foundation.errors import Conflict
from providers import prices
from providers.model_version import ModelVersion
from stats import rows_needed

_SHOWN = 50


class RunGone(Conflict):
    """A run that a verdict rests on was deleted."""


def runs_of(distillation: Distillation) -> dict[Role, Run]:
    """The run of each role. Raises RunGone naming those that were deleted."""
    runs: dict[Role, Run] = {role: run for role in ROLES if (run := Run.find(distillation.runs.get(role, "")))}
    if len(runs) < len(ROLES):
        missing = ", ".join(role for role in ROLES if role not in runs)
        raise RunGone(f"The verdict cannot be decided: the run of {missing} was deleted.", code="run_deleted")
    return runs


def verdict_of(
    distillation: Distillation,
    runs: Mapping[Role, Run],
    row_set: RowSet,
    *,
    at: int,
    check: Callable[[], None] = lambda: None,
) -> Verdict:
    """The verdict with its sentence, as of `at` in seconds since the epoch. `check` may raise where time runs out."""
    eval_, gate = Eval.find(distillation.eval_id), distillation.gate
    outcomes: dict[Role, OutcomeByRow] = {role: row_outcomes(run, each_chunk=check) for role, run in runs.items()}
    looks = row_set.looks_before(distillation)
    evidence = gather(
        *(outcomes[role] for role in ROLES),
        seed=distillation.seed,
        group_by=gate.group_by,
        looks=looks.earlier + 1,
    )
    contenders = against_contenders(distillation, runs["teacher"], outcomes["distilled"], check=check)
    learnt_from = training_set(distillation.dataset_id)
    asked = {role: mean_prompt_tokens(run) for role, run in runs.items()}
    counts, bound = evidence.counts, evidence.noninferiority_bound
    verdict = Verdict(
        id=distillation.verdict_id,
        created_at=at,
        distillation_id=distillation.id,
        eval_id=distillation.eval_id,
        outcome=decision_of(evidence, gate),
        rows=evidence.rows,
        dropped=evidence.dropped,
        scores=_scores(distillation, evidence),
        gain=counts.gain if evidence.rows else 0.0,
        interval=evidence.gain_interval,
        p_value=evidence.p_value,
        won=counts.won,
        lost=counts.lost,
        won_items=evidence.won[:_SHOWN],
        lost_items=evidence.lost[:_SHOWN],
        gap_closed=evidence.gap_closed,
        gap_closed_interval=evidence.gap_closed_interval,
        as_good_as_teacher=bound is not None and bound > -gate.margin,
        against_teacher=evidence.against_teacher,
        noninferiority_bound=bound,
        contenders=contenders,
        beats_contenders=beats_all(contenders),
        rows_needed=_rows_needed(distillation, evidence),
        slices_worse=_slices_worse(evidence),
        slices_rare=_slices_rare(distillation, learnt_from, outcomes, evidence),
        graders=_graders(distillation, eval_, outcomes, evidence, check),
        gate=gate,
        seed=distillation.seed,
        cost_ratio={role: cost_ratio(run, runs["teacher"]) for role, run in runs.items()},
        prompt_tokens=asked,
        prompt_tokens_saved=_saved(asked) if distillation.used_recipe.student_prompt else None,
        latency_ms={role: mean_latency_ms(run) for role, run in runs.items()},
        latency_from={role: run.answers for role, run in runs.items()},
        calls={role: call_figures(run) for role, run in runs.items()},
        saving=_saving(distillation, runs, learnt_from),
        cascade=_cascade(distillation, runs, outcomes),
        prices_as_of=prices.as_of(),
        runs=distillation.runs,
        dataset_id=distillation.dataset_id,
        training_set=learnt_from.warnings,
        job_id=distillation.job_id,
        attempts_tried=max(1, len(distillation.attempts)),
        earlier_verdicts=looks.earlier,
        reuse=_reuse(distillation, evidence, looks),
        judges=reliability(eval_) if eval_ else {},
    )
    return verdict.model_copy(update={"sentence": telling.sentence(verdict)})


def _scores(distillation: Distillation, evidence: Evidence) -> dict[Role, ModelScore]:
    models: dict[Role, str] = {
        "teacher": distillation.teacher,
        "baseline": distillation.student,
        "distilled": distillation.model or "",
    }
    return {role: ModelScore.of(models[role], score) for role, score in evidence.scores.items()}


def _rows_needed(distillation: Distillation, evidence: Evidence) -> RowsNeeded:
    """The rows that the plan asked for, and those that the observed gain would take if it is above the minimum."""
    counts, gate = evidence.counts, distillation.gate
    above = evidence.rows and counts.gain > gate.min_gain
    return RowsNeeded(
        planned=distillation.plan.rows_needed if distillation.plan else None,
        observed=rows_needed(counts.gain, counts.discordance, power=gate.power, min_gain=gate.min_gain)
        if above
        else None,
    )


def _slices_rare(
    distillation: Distillation, learnt_from: TrainingSet, outcomes: Mapping[Role, OutcomeByRow], evidence: Evidence
) -> list[RareSliceGain]:
    rare = learnt_from.rare
    by_answer = any(one.field == ANSWER for one in rare) and blobs.exists(distillation.rows_key)
    return rare_gains(
        rare,
        evidence.common,
        outcomes["distilled"],
        outcomes["baseline"],
        answers_to(blobs.lines(distillation.rows_key)) if by_answer else {},
        seed=distillation.seed,
        group_by=distillation.gate.group_by,
    )


def _slices_worse(evidence: Evidence) -> list[SliceGain]:
    worse = sorted((part for part in evidence.slices if part.worse), key=lambda part: -part.rows)
    return [
        SliceGain(
            tag=part.tag,
            rows=part.rows,
            gain=part.gain,
            interval=part.interval,
            adjusted_p_value=part.adjusted_p_value,
        )
        for part in worse[:_SHOWN]
    ]


def _graders(
    distillation: Distillation,
    eval_: Eval | None,
    outcomes: Mapping[Role, OutcomeByRow],
    evidence: Evidence,
    check: Callable[[], None],
) -> list[GraderPart]:
    if eval_ is None:
        return []
    group_by = distillation.gate.group_by
    return grader_parts(eval_, outcomes, evidence, seed=distillation.seed, group_by=group_by, check=check)


def _saved(asked: Mapping[Role, float | None]) -> float | None:
    """Of the baseline's prompt tokens those that the distilled model, which counts like it, does without."""
    baseline, distilled = asked["baseline"], asked["distilled"]
    return None if baseline is None or distilled is None else baseline - distilled


def _saving(distillation: Distillation, runs: Mapping[Role, Run], learnt_from: TrainingSet) -> Saving:
    version = ModelVersion.find(distillation.model or "")
    return saving_of(
        teacher_nanodollars=cost_of_a_call(runs["teacher"]),
        distilled_nanodollars=cost_of_a_call(runs["distilled"]),
        costs=spent_so_far(distillation),
        idle_usd=usd_per_month(version) if version else None,
        traffic=learnt_from.traffic,
    )


def _cascade(
    distillation: Distillation, runs: Mapping[Role, Run], outcomes: Mapping[Role, OutcomeByRow]
) -> CascadePart:
    return cascade_of(
        (distillation.teacher, outcomes["teacher"]),
        (distillation.model or "", outcomes["distilled"]),
        margin=distillation.gate.margin,
        costs=(cost_of_a_call(runs["teacher"]), cost_of_a_call(runs["distilled"])),
        seed=distillation.seed,
        group_by=distillation.gate.group_by,
    )


def _reuse(distillation: Distillation, evidence: Evidence, looks: Looks) -> Reuse:
    gate = distillation.gate
    return Reuse(
        looks=evidence.looks,
        sweeps=looks.sweeps,
        adjusted_p_value=evidence.corrected_p_value,
        interval=evidence.corrected_interval,
        outcome_holds=corrected_decision(evidence, gate) == decision_of(evidence, gate),
    )
