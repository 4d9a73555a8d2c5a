"""What each rule did, in the order in which rules are applied, with the first completions that it did it to."""

from __future__ import annotations

from assembly.curation import FIRST, LAST
from assembly.figures import Figures
from assembly.journal import Case
from distillations.recipe import ROW_STEPS, SET_STEPS, Recipe
from distillations.report.steps import RowExample, RuleReport


def rule_reports(recipe: Recipe, figures: Figures) -> list[RuleReport]:
    """Each rule once, with the completions before and after it."""
    reports = []
    before = figures.selected
    for rule in _in_order(recipe):
        after = before - figures.dropped.get(rule, 0)
        reports.append(
            RuleReport(
                rule=rule,
                before=before,
                after=after,
                dropped=before - after,
                changed=figures.changed.get(rule, 0),
                examples=[_example(case) for case in figures.cases.get(rule, ())],
            )
        )
        before = after
    return reports


def _example(case: Case) -> RowExample:
    evidence = case.evidence
    return RowExample(
        id=case.id, action=evidence.action, reason=evidence.reason, others=evidence.others, score=evidence.score
    )


def _in_order(recipe: Recipe) -> list[str]:
    by_row = [step.rule for step in recipe.steps_of(*ROW_STEPS)]
    together = [step.rule for step in recipe.steps_of(*SET_STEPS)]
    # A rule that stands in the recipe twice is counted once, where it stands first.
    return list(dict.fromkeys([*FIRST, *by_row, *LAST, *together]))
