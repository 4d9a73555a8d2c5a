"""The cascade of a verdict: from which confidence on the distilled model's answers can be kept.

In: the outcomes of teacher and distilled model by row, and what a call of each costs. Out: the section `cascade` of the
verdict, the same as often as it is computed. A row is lost where the distilled model alone failed and won where the
teacher alone did; one that the provider or a grader failed on is in none of them. Of rows that belong together one
counts, drawn by a hash of the verdict's seed: the promise takes rows that are independent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from aliases.alias import Cascade
from distillations.cascade import CascadeFigures, CascadePart, CascadeTarget
from evals.figures import pass_rate
from evals.gains import OutcomeByRow, groups_of
from stats import ComparedRow, Kept, fewest_rows, safe_threshold

CONFIDENCE = 0.95


def cascade_of(
    teacher: tuple[str, OutcomeByRow],
    distilled: tuple[str, OutcomeByRow],
    *,
    margin: float,
    costs: tuple[float | None, float | None],
    seed: int,
    group_by: str | None = None,
) -> CascadePart:
    """What a cascade of these two models, each with its outcomes, would do.

    `costs` are those of a call of either model in nano-dollars.
    """
    rows = _independent(_graded_by_both(teacher[1], distilled[1]), distilled[1], seed, group_by)
    found = _by_logprob(rows, teacher, distilled, margin)
    of_teacher, of_distilled = costs
    if found.share is not None and of_teacher is not None and of_distilled is not None:
        cost = (of_distilled + (1.0 - found.share) * of_teacher) / 1e6
        found = found.model_copy(update={"usd_per_1000": cost})
    return CascadePart(
        margin=margin,
        confidence=CONFIDENCE,
        teacher_usd_per_1000=None if of_teacher is None else of_teacher / 1e6,
        distilled_usd_per_1000=None if of_distilled is None else of_distilled / 1e6,
        sources=[found],
    )


def _graded_by_both(teacher: OutcomeByRow, distilled: OutcomeByRow) -> list[str]:
    return [row for row in distilled if row in teacher and not teacher[row].errored and not distilled[row].errored]


def _independent(rows: Sequence[str], outcomes: OutcomeByRow, seed: int, group_by: str | None) -> list[str]:
    """One row of each group, each row as likely as the others of its group."""
    groups = groups_of(rows, outcomes, group_by)
    if groups is None:
        return [*rows]
    drawn: dict[str, str] = {}
    for row, group in zip(rows, groups, strict=True):
        drawn[group] = min(row, drawn.get(group, row), key=lambda name: _lot(seed, name))
    return [*drawn.values()]


def _lot(seed: int, row: str) -> bytes:
    return hashlib.sha256(f"{seed}\x00{row}".encode(errors="replace")).digest()


def _by_logprob(
    rows: list[str], teacher: tuple[str, OutcomeByRow], distilled: tuple[str, OutcomeByRow], margin: float
) -> CascadeFigures:
    by_teacher, by_distilled = teacher[1], distilled[1]
    compared = [
        ComparedRow(by_distilled[row].confidence, float(by_teacher[row].passed) - float(by_distilled[row].passed))
        for row in rows
    ]
    known = sum(row.confidence is not None for row in compared)
    kept = safe_threshold(compared, margin=margin, confidence=CONFIDENCE)
    figures = CascadeFigures(
        by="logprob",
        rows=len(rows),
        known=known,
        why_none=None if kept else _why_none(len(rows), known, margin),
        threshold=None,
        kept=None,
        share=None,
        loss=None,
        passed=None,
        usd_per_1000=None,
        target=None,
    )
    return _promised(figures, kept, by_teacher, by_distilled, rows, (teacher[0], distilled[0])) if kept else figures


def _promised(  # noqa: PLR0917 - the rows and both models
    figures: CascadeFigures,
    kept: Kept,
    teacher: OutcomeByRow,
    distilled: OutcomeByRow,
    rows: Iterable[str],
    models: tuple[str, str],
) -> CascadeFigures:
    def passed(row: str) -> bool:
        sure = distilled[row].confidence
        return (distilled if sure is not None and sure >= kept.threshold else teacher)[row].passed

    cascade = Cascade(to=models[0], by="logprob", threshold=kept.threshold)
    return figures.model_copy(
        update={
            "threshold": kept.threshold,
            "kept": kept.kept,
            "share": kept.share,
            "loss": kept.loss,
            "passed": pass_rate(sum(map(passed, rows)), kept.rows),
            "target": CascadeTarget(model=models[1], cascade=cascade),
        }
    )


def _why_none(rows: int, known: int, margin: float) -> str:
    fewest = fewest_rows(margin=margin, confidence=CONFIDENCE)
    points = f"{100 * margin:g} points"
    if not known:
        return "The model gave no log-probabilities with its answers, so nobody knows how sure it was."
    if fewest is None:
        return (
            f"Rows cannot show a margin of {points}, however many there are. Give the gate a larger one, such as 0.02."
        )
    if rows < fewest:
        return (
            f"A loss of at most {points} takes {fewest} rows to promise, were the model never worse; there are {rows}."
        )
    return f"No threshold is surely within {points}: where the model is surest it fails too often, or rows are too few."
