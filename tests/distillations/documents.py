"""Documents of the loop with figures made by hand, each field to be overridden."""

from __future__ import annotations

from typing import Any

from aliases.alias import Cascade
from distillations.cascade import CascadeFigures, CascadePart, CascadeTarget
from distillations.dataset import DatasetCard
from distillations.distillation import Distillation
from distillations.model_score import ModelScore
from distillations.plan import Plan
from distillations.recipe import UsedRecipe
from distillations.verdict import Verdict
from distillations.verdict_parts import RowsNeeded
from evals.figures import pass_rate
from evals.gains import Score

AT = 1_790_000_000


def distillation(status: str = "completed", **fields: Any) -> Distillation:
    source = {"type": "stored_completions"}
    asked = {"name": "triage", "eval_id": "eval_1", "test": source, "train": source, "teacher": "big"}
    return Distillation(id="distill_1", created_at=AT, status=status, student="small", **{**asked, **fields})


def score(model: str, passed: int, total: int = 100) -> ModelScore:
    return ModelScore.of(model, Score.of([True] * passed + [False] * (total - passed)))


def plan(**fields: Any) -> Plan:
    figures: dict[str, Any] = {
        "teacher": score("gpt-4o", 91),
        "baseline": score("gpt-4o-mini", 76),
        "teacher_answers": "stored",
        "rows": 100,
        "rows_needed": 77,
        "discordance": 0.2,
        "expected_gain": 0.075,
        "reasons": [],
    }
    return Plan(**{**figures, **fields})


def card(**fields: Any) -> DatasetCard:
    source: Any = {"type": "stored_completions", "model": "gpt-4o", "metadata": {"split": "train"}}
    figures: dict[str, Any] = {
        "id": "dataset_1",
        "created_at": AT,
        "distillation_id": "distill_1",
        "teacher": "gpt-4o",
        "student": "gpt-4o-mini",
        "recipe": UsedRecipe(source=source),
        "rows": 60,
        "train_rows": 54,
        "validation_rows": 6,
        "dropped": {"test_leaks": 1, "duplicates": 0},
        "contradicted": [],
    }
    return DatasetCard(**{**figures, **fields})


def verdict(**fields: Any) -> Verdict:
    figures: dict[str, Any] = {
        "id": "verdict_1",
        "created_at": AT,
        "distillation_id": "distill_1",
        "eval_id": "eval_1",
        "outcome": "beats_baseline",
        "sentence": "It does.",
        "rows": 100,
        "dropped": 0,
        "scores": {
            "teacher": score("big", 91),
            "baseline": score("small", 76),
            "distilled": score("ft:small", 88),
        },
        "gain": 0.12,
        "interval": [0.05, 0.2],
        "p_value": 0.0041809,
        "won": 14,
        "lost": 2,
        "won_items": [],
        "lost_items": [],
        "gap_closed": 0.8,
        "gap_closed_interval": None,
        "as_good_as_teacher": False,
        "against_teacher": None,
        "rows_needed": RowsNeeded(observed=321),
        "slices_worse": [],
        "gate": {},
        "seed": 42,
        "cost_ratio": {"teacher": 1.0, "baseline": 0.06, "distilled": None},
        "latency_ms": {"teacher": 8.0, "baseline": None, "distilled": None},
        "prices_as_of": "2026-11-01",
        "runs": {},
        "dataset_id": "dataset_1",
        "job_id": "ftjob-1",
        "earlier_verdicts": 0,
        "judges": {},
    }
    return Verdict(**{**figures, **fields})


def cascade(model: str, *, to: str) -> CascadePart:
    """What a verdict says of a cascade of this model, by its log-probabilities, to the teacher."""
    target = CascadeTarget(model=model, cascade=Cascade(to=to, by="logprob", threshold=-0.125))
    figures = CascadeFigures(
        by="logprob",
        rows=400,
        known=400,
        why_none=None,
        threshold=-0.125,
        kept=300,
        share=0.75,
        loss=0.0125,
        passed=pass_rate(380, 400),
        usd_per_1000=2.5,
        target=target,
    )
    return CascadePart(
        margin=0.02, confidence=0.95, teacher_usd_per_1000=5.0, distilled_usd_per_1000=1.25, sources=[figures]
    )
