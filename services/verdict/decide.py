"""Decide a distillation: the evidence, the outcome by fixed rules, and one sentence about both.

In: `DecideVerdict`. Out: one `Verdict`, written once, and a `VerdictDecided` for those who tell people of it.
docs/explanation/statistics.md has the rules; the first that holds decides.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from completions.same_input import input_key
from distillations import lineage, telling
from distillations.contender import AgainstContender
from distillations.distillation import TERMINAL, Distillation
from distillations.gate import Gate
from distillations.lineage import Node
from distillations.model_score import ModelScore
from distillations.roles import ROLES, Role
from distillations.verdict import Decision, RowsNeeded, SliceGain, Verdict
from evals.calibrations import reliability
from evals.call_costs import cost_ratio, mean_latency_ms, mean_prompt_tokens
from evals.eval import Eval
from evals.outcomes import row_outcomes
from evals.run import Run
from foundation import blobs, bus, table
from foundation.events import StepFailed, VerdictDecided
from foundation.ids import derived_id, now
from providers import prices
from stats import rows_needed
from verdict.contenders import against_contenders, beats_all
from verdict.evidence import Evidence, gather

_ALPHA = 0.05
_MOST_DROPPED = 0.02
_SHOWN = 50


def decide(distillation_id: str) -> None:
    """Decide the distillation unless it is decided, and send `VerdictDecided`, which may be sent twice without harm."""
    distillation = Distillation.load(distillation_id)
    if distillation.status in TERMINAL:
        return
    if Verdict.find(distillation.verdict_id) is None:
        runs: dict[Role, Run] = {role: run for role in ROLES if (run := Run.find(distillation.runs.get(role, "")))}
        if len(runs) < len(ROLES):
            missing = ", ".join(role for role in ROLES if role not in runs)
            message = f"The verdict cannot be decided: the run of {missing} was deleted."
            failed = StepFailed(distillation_id=distillation_id, during="deciding", code="run_deleted", message=message)
            bus.send(failed)
            return
        _write(distillation, runs)
    decided = VerdictDecided(distillation_id=distillation_id)
    bus.send(decided)


def decision_of(evidence: Evidence, gate: Gate) -> Decision:
    """The first rule that holds."""
    dropped = evidence.dropped > _MOST_DROPPED * (evidence.rows + evidence.dropped)
    interval = evidence.gain_interval
    if interval is None or dropped or evidence.rows == 0:
        return "inconclusive"
    # McNemar's p ignores groups; for grouped rows only the clustered interval decides.
    significant = evidence.p_value < _ALPHA or gate.group_by is not None
    if interval.low > gate.min_gain and significant:
        return "beats_baseline"
    if interval.high < 0:
        return "worse"
    if interval.high < gate.useful:
        return "no_better"
    return "inconclusive"


def _write(distillation: Distillation, runs: dict[Role, Run]) -> None:
    """Write the verdict and its lineage, unless another delivery has."""
    outcomes = {role: row_outcomes(runs[role]) for role in ROLES}
    evidence = gather(*(outcomes[role] for role in ROLES), seed=distillation.seed, group_by=distillation.gate.group_by)
    contenders = against_contenders(distillation, runs["teacher"], outcomes["distilled"])
    verdict = _verdict(distillation, evidence, runs, contenders)
    run_ids = [*(run.id for run in runs.values()), *(contender.run_id for contender in contenders)]
    run_ids += [attempt.run_id for attempt in distillation.attempts if attempt.run_id]
    edges = [(Node("run", run_id), Node("verdict", verdict.id)) for run_id in run_ids]
    lineage.link([*edges, (Node("model", verdict.scores["distilled"].model), Node("verdict", verdict.id))])
    verdict.create()


def _verdict(
    distillation: Distillation, evidence: Evidence, runs: dict[Role, Run], contenders: list[AgainstContender]
) -> Verdict:
    """The document, with its sentence."""
    eval_ = Eval.find(distillation.eval_id)
    models: dict[Role, str] = {
        "teacher": distillation.teacher,
        "baseline": distillation.student,
        "distilled": distillation.model or "",
    }
    gate, counts, bound = distillation.gate, evidence.counts, evidence.noninferiority_bound
    asked = {role: mean_prompt_tokens(run) for role, run in runs.items()}
    verdict = Verdict(
        id=distillation.verdict_id,
        created_at=now(),
        distillation_id=distillation.id,
        eval_id=distillation.eval_id,
        outcome=decision_of(evidence, gate),
        rows=evidence.rows,
        dropped=evidence.dropped,
        scores={role: ModelScore.of(models[role], score) for role, score in evidence.scores.items()},
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
        slices_worse=[
            SliceGain(tag=part.tag, rows=part.rows, gain=part.gain, interval=part.interval)
            for part in evidence.slices
            if part.worse
        ],
        gate=gate,
        seed=distillation.seed,
        cost_ratio={role: cost_ratio(run, runs["teacher"]) for role, run in runs.items()},
        prompt_tokens=asked,
        prompt_tokens_saved=_saved(asked) if distillation.used_recipe.student_prompt else None,
        latency_ms={role: mean_latency_ms(run) for role, run in runs.items()},
        latency_from={role: run.answers for role, run in runs.items()},
        prices_as_of=prices.as_of(),
        runs=distillation.runs,
        dataset_id=distillation.dataset_id,
        job_id=distillation.job_id,
        attempts_tried=max(1, len(distillation.attempts)),
        earlier_verdicts=_earlier_verdicts(distillation),
        judges=reliability(eval_) if eval_ else {},
    )
    return verdict.model_copy(update={"sentence": telling.sentence(verdict)})


def _saved(asked: Mapping[Role, float | None]) -> float | None:
    """Of the baseline's prompt tokens those that the distilled model, which counts like it, does without."""
    baseline, distilled = asked["baseline"], asked["distilled"]
    return None if baseline is None or distilled is None else baseline - distilled


def _rows_needed(distillation: Distillation, evidence: Evidence) -> RowsNeeded:
    """The rows that the plan asked for, and those that the observed gain would take if it is above the minimum."""
    counts, min_gain = evidence.counts, distillation.gate.min_gain
    above = evidence.rows and counts.gain > min_gain
    return RowsNeeded(
        planned=distillation.plan.rows_needed if distillation.plan else None,
        observed=rows_needed(counts.gain, counts.discordance, min_gain=min_gain) if above else None,
    )


def _earlier_verdicts(distillation: Distillation) -> int:
    """How many other verdicts this eval has already given on these inputs, whoever the teacher was."""
    inputs = sorted(input_key(orjson.loads(line)["item"]["input"]) for line in blobs.lines(distillation.rows_key))
    digest = derived_id("", *inputs)
    pk = f"VERDICTS#{distillation.eval_id}#{digest}"
    table.put({"pk": pk, "sk": distillation.verdict_id})
    return sum(row["sk"] != distillation.verdict_id for row in table.query(pk))
