"""Decide a distillation: the evidence, the outcome by fixed rules, one sentence that a person understands.

In: `DecideVerdict`. Out: one `Verdict`, written once; people told; the distillation told. The rules are those
of design part 7, the first that holds.
"""

from __future__ import annotations

import re
from typing import Any, Literal

import orjson

from completions.completion import input_key
from distillations import lineage
from distillations.distillation import ROLES, TERMINAL, Distillation, Gate
from distillations.lineage import Node
from distillations.verdict import Verdict
from evals.calibrations import reliability
from evals.eval import Eval
from evals.outcomes import outcomes
from evals.run import Run
from foundation import blobs, bus, table
from foundation.events import AdvanceDistillation
from foundation.ids import derived_id, now
from providers.prices import cost_nanodollars, price_list
from providers.usage import ModelUsage
from stats import rows_needed
from verdict.compare import Evidence, compare
from verdict.notify import notify_verdict
from verdict.sentence import sentence

type Outcome = Literal["beats_baseline", "no_better", "worse", "inconclusive"]

_ALPHA = 0.05
_MOST_DROPPED = 0.02
_SHOWN = 50


def decide(distillation_id: str) -> None:
    """Decide unless it is decided, tell people unless they were told, tell the distillation."""
    distillation = Distillation.load(distillation_id)
    if distillation.status in TERMINAL:
        return
    verdict = Verdict.find(distillation.verdict_id)
    if verdict is None:
        _write(distillation)
        verdict = Verdict.load(distillation.verdict_id)
    if verdict.notified_at is None:
        notify_verdict(verdict)
        verdict.change({"notified_at": now()})
    advance = AdvanceDistillation(distillation_id=distillation_id)
    bus.send(advance)


def outcome_of(evidence: Evidence, gate: Gate) -> Outcome:
    """The first rule that holds."""
    dropped = evidence.dropped > _MOST_DROPPED * (evidence.rows + evidence.dropped)
    interval = evidence.gain_interval
    if interval is None or dropped or evidence.rows == 0:
        return "inconclusive"
    # McNemar's p knows nothing of groups; with them the clustered interval alone carries the claim.
    significant = evidence.p_value < _ALPHA or gate.group_by is not None
    if interval.low > gate.min_gain and significant:
        return "beats_baseline"
    if interval.high < 0:
        return "worse"
    if interval.high < gate.useful:
        return "no_better"
    return "inconclusive"


def _write(distillation: Distillation) -> None:
    runs = {role: Run.load(distillation.runs[role]) for role in ROLES}
    evidence = compare(
        *(outcomes(runs[role]) for role in ROLES),
        seed=distillation.seed,
        group_by=distillation.gate.group_by,
    )
    models = {
        "teacher": distillation.teacher,
        "baseline": distillation.student,
        "distilled": distillation.model or "",
    }
    outcome = outcome_of(evidence, distillation.gate)
    fields = {
        **_figures(evidence, models, distillation),
        "cost_ratio": _cost_ratios(runs),
        "latency_ms": {role: _mean_latency(run) for role, run in runs.items()},
        "prices_as_of": price_list()["as_of"],
        "runs": distillation.runs,
        "dataset_id": distillation.dataset_id,
        "job_id": distillation.job_id,
        "earlier_verdicts": _count(distillation),
        "judges": reliability(Eval.load(distillation.eval_id)),
    }
    verdict = Verdict(
        id=distillation.verdict_id,
        created_at=now(),
        distillation_id=distillation.id,
        eval_id=distillation.eval_id,
        outcome=outcome,
        sentence=sentence(outcome, evidence, models),
        **fields,
    )
    edges = [(Node("run", run.id), Node("verdict", verdict.id)) for run in runs.values()]
    lineage.link([*edges, (Node("model", models["distilled"]), Node("verdict", verdict.id))])
    verdict.create()


def _figures(evidence: Evidence, models: dict[str, str], distillation: Distillation) -> dict[str, Any]:
    interval = evidence.gain_interval
    counts, against = evidence.counts, evidence.against_teacher
    observed = (
        rows_needed(counts.gain, counts.discordance, min_gain=distillation.gate.min_gain)
        if evidence.rows and counts.gain > distillation.gate.min_gain
        else None
    )
    return {
        "rows": evidence.rows,
        "dropped": evidence.dropped,
        "scores": {
            role: {
                "model": models[role],
                "passed": score.passed,
                "total": score.total,
                "score": score.score,
                "interval": list(score.interval),
            }
            for role, score in evidence.scores.items()
        },
        "gain": counts.gain if evidence.rows else 0.0,
        "interval": list(interval) if interval else None,
        "p_value": evidence.p_value,
        "won": counts.won,
        "lost": counts.lost,
        "won_items": evidence.won[:_SHOWN],
        "lost_items": evidence.lost[:_SHOWN],
        "gap_closed": evidence.gap_closed,
        "gap_closed_interval": list(evidence.gap_closed_interval) if evidence.gap_closed_interval else None,
        "as_good_as_teacher": against is not None and against.low > -distillation.gate.margin,
        "against_teacher": list(against) if against else None,
        "rows_needed": {"planned": (distillation.plan or {}).get("rows_needed"), "observed": observed},
        "slices_worse": [
            {
                "tag": one.tag,
                "rows": one.rows,
                "gain": one.gain,
                "interval": list(one.interval) if one.interval else None,
            }
            for one in evidence.slices
            if one.worse
        ],
        "gate": distillation.gate.model_dump(),
        "seed": distillation.seed,
    }


def _cost_ratios(runs: dict[str, Run]) -> dict[str, float | None]:
    """What a call costs with each model, as a share of the teacher's; None where a price or the usage is not known."""
    costs = {role: _cost_of_a_call(run) for role, run in runs.items()}
    teacher = costs["teacher"]
    return {role: cost / teacher if cost is not None and teacher else None for role, cost in costs.items()}


def _cost_of_a_call(run: Run) -> float | None:
    used = _sampled(run)
    calls = sum(one.invocation_count for one in used)
    cost = cost_nanodollars(used)
    return cost / calls if cost is not None and calls else None


def _sampled(run: Run) -> list[ModelUsage]:
    """The usage of the model under test, without its judges; a provider may answer as a dated snapshot of it."""
    snapshot = re.compile(re.escape(run.model) + r"(-\d[\d-]*)?")
    return [used for used in run.per_model_usage if snapshot.fullmatch(used.model_name)]


def _mean_latency(run: Run) -> float | None:
    rows = run.result_counts.total
    return run.latency_ms / rows if rows and run.latency_ms else None


def _count(distillation: Distillation) -> int:
    """How many other verdicts this eval has already given on these inputs, whoever the teacher was."""
    inputs = sorted(input_key(orjson.loads(line)["item"]["input"]) for line in blobs.lines(distillation.rows_key))
    digest = derived_id("", *inputs)
    pk = f"VERDICTS#{distillation.eval_id}#{digest}"
    table.put({"pk": pk, "sk": distillation.verdict_id})
    return sum(row["sk"] != distillation.verdict_id for row in table.query(pk))
