"""The report of a training set, from what was noted while its completions were read.

In: the figures of the set, the counts of its survey, and recent traffic. Out: the document. The same completions give
the same report, in whatever order they came.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from assembly.figures import Figures
from assembly.report.compare import drift_of, skew_of
from assembly.report.concerns import MOST, concerns_of, quoted
from assembly.report.fields import amount_fields, label_fields, periods, topics
from assembly.report.slices import imbalances, rare_slices
from assembly.report.steps import rule_reports
from assembly.report.suitability import Known, suitability_of
from assembly.report.survey import Counted, Production
from assembly.report.tally import Group
from distillations.attempts import Order
from distillations.estimates import training_cost_usd
from distillations.grades import Agreement
from distillations.recipe import Recipe
from distillations.report.document import DatasetReport, ProductionTraffic, TrainerEstimate
from distillations.trainers import TRAINERS
from providers.terms import TeacherTerms


@dataclass(frozen=True)
class About:
    """What a training set is made for, as far as it is known."""

    id: str
    created_at: int
    """Seconds since the epoch."""
    trainer: str = "default"
    """The kind of the trainer."""
    orders: list[Order] = field(default_factory=list)
    """The trainings that are asked for; none where no student is chosen yet."""
    terms: list[TeacherTerms] = field(default_factory=list)
    known: Known = field(default_factory=Known)
    agreement: list[Agreement] = field(default_factory=list)
    """How far the teacher agreed with itself, for each step that asked it again."""


def report_of(
    figures: Figures, counted: Counted, production: Production, recipe: Recipe, about: About
) -> DatasetReport:
    """The whole report. `counted` counts what was noted, and production."""
    totals = counted.whole.totals
    labels, amounts = label_fields(counted.whole), amount_fields(counted.whole)
    report = DatasetReport(
        id=about.id,
        created_at=about.created_at,
        selected=figures.selected,
        rows=figures.rows,
        train_rows=totals[Group.TRAIN_ROWS],
        train_lines=totals[Group.TRAIN_LINES],
        validation_rows=totals[Group.VALIDATION],
        train_tokens=figures.tokens,
        warnings=[],
        steps=rule_reports(recipe, figures),
        labels=labels,
        amounts=amounts,
        periods=periods(counted.whole),
        topics=topics(counted),
        production=_traffic(production, counted.whole.shared_rows),
        skew=skew_of(counted),
        drift=drift_of(counted),
        imbalances=imbalances(labels),
        rare_slices=rare_slices(labels, totals[Group.PRODUCTION]),
        estimates=_estimates(figures, about),
        suitability=suitability_of(labels, amounts, totals[Group.TRAIN_ROWS], _known(about)),
        terms=about.terms,
    )
    return report.model_copy(update={"warnings": [*_strangers(recipe, figures), *concerns_of(report)][:MOST]})


def _strangers(recipe: Recipe, figures: Figures) -> Iterator[str]:
    """A sentence where the recipe names completions by hand that are not there."""
    named = set(figures.named)
    strangers = [name for name in (*recipe.keep, *recipe.drop) if name not in named]
    if strangers:
        first = ", ".join(map(quoted, strangers[:3]))
        yield f"The recipe's keep and drop name {len(strangers)} completions that the source does not select: {first}."


def _known(about: About) -> Known:
    """What is known of the teacher, with how far it agreed with itself where a step asked it again."""
    shares = [agreement.share for agreement in about.agreement if agreement.share is not None]
    return about.known._replace(consensus=shares[-1]) if shares else about.known


def _traffic(production: Production, training: int) -> ProductionTraffic | None:
    if not production.features:
        return None
    times = [features.created for features in production.features]
    return ProductionTraffic(
        rows=len(times),
        begins_at=min(times),
        ends_at=max(times),
        in_training=training,
    )


def _estimates(figures: Figures, about: About) -> list[TrainerEstimate]:
    """For each trainer; a price only at the one that was chosen, since a student is a model of one trainer."""
    estimates = []
    for name, entry in TRAINERS.items():
        default = entry.hyperparameters.DEFAULT_EPOCHS
        orders = about.orders if name == about.trainer else []
        epochs = _sum([_epochs(order, default) for order in orders] or [default])
        costs = [training_cost_usd(order.student, figures.bytes, order.hyperparameters, default) for order in orders]
        estimates.append(
            TrainerEstimate(
                trainer=name,
                epochs=epochs,
                tokens=None if epochs is None else figures.tokens * epochs,
                cost_usd=_sum(costs) if costs else None,
            )
        )
    return estimates


def _epochs(order: Order, default: int | None) -> int | None:
    chosen = order.hyperparameters.get("n_epochs")
    return chosen if isinstance(chosen, int) else default


def _sum[Number: (int, float)](numbers: Sequence[Number | None]) -> Number | None:
    """The sum; None where one of them is not known."""
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None
