"""What each rule did, in the order in which rules are applied, with the first completions that it did it to."""

from __future__ import annotations

from assembly.curation import FIRST, LAST
from assembly.journal import Journal
from distillations.dataset_row import Evidence
from distillations.recipe import ROW_STEPS, SET_STEPS, Recipe
from distillations.report.steps import RowExample, RuleReport

_SHOWN = 3


def rule_reports(recipe: Recipe, journal: Journal) -> list[RuleReport]:
    """Each rule once, with the completions before and after it."""
    dropped, examples = journal.dropped, journal.first_by_rule(_SHOWN)
    reports = []
    before = journal.selected
    for rule in _in_order(recipe):
        after = before - dropped.get(rule, 0)
        reports.append(
            RuleReport(
                rule=rule,
                before=before,
                after=after,
                dropped=before - after,
                changed=journal.changed[rule],
                examples=[_example(completion_id, evidence) for completion_id, evidence in examples.get(rule, ())],
            )
        )
        before = after
    return reports


def _example(completion_id: str, evidence: Evidence) -> RowExample:
    return RowExample(
        id=completion_id,
        action=evidence.action,
        reason=evidence.reason,
        others=evidence.others,
        score=evidence.score,
    )


def _in_order(recipe: Recipe) -> list[str]:
    by_row = [step.rule for step in recipe.steps_of(*ROW_STEPS)]
    together = [step.rule for step in recipe.steps_of(*SET_STEPS)]
    # A rule that stands in the recipe twice is counted once, where it stands first.
    return list(dict.fromkeys([*FIRST, *by_row, *LAST, *together]))
