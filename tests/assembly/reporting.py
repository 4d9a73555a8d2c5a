"""The report of completions, in process, as the tests of reports need it."""

from __future__ import annotations

from collections.abc import Iterable
from tempfile import TemporaryFile
from typing import Any

from assembly.curate import Curator
from assembly.curation.rule import Known
from assembly.figures import Figures
from assembly.masking import mask_of
from assembly.report.build import About, report_of
from assembly.report.survey import Survey, production_of
from completions.completion import Completion
from distillations.held_out import HeldOut
from distillations.recipe import Recipe
from distillations.report.document import DatasetReport
from distillations.text_steps import PersonalData
from tests.distilling import build

AS_THEY_ARE = Recipe(steps=[], validation_share=0)
"""A recipe that drops nothing but leaks."""


def reported(
    completions: Iterable[Completion],
    recipe: Recipe = AS_THEY_ARE,
    *,
    production: Iterable[Completion] = (),
    test: Iterable[Completion] = (),
    **about: Any,
) -> DatasetReport:
    """The report of a set made of completions, held against production."""
    held_out = HeldOut(recipe.group_by)
    for row in test:
        held_out.add(row.row()["item"])
    with TemporaryFile() as spool, TemporaryFile() as notes:
        mask = mask_of(recipe.steps_of(PersonalData))
        survey = Survey(notes, recipe.slice_keys, mask=mask)
        curator = Curator(recipe, Known(held_out=held_out), spool, survey=survey)
        curator.read(completions)
        curator.decide()
        traffic = production_of(production, recipe.slice_keys, mask)
        counted = survey.counted(curator.places().get, traffic)
        return report_of(Figures.of(curator), counted, traffic, recipe, About("dataset_1", build.AT, **about))


def differing(report: DatasetReport) -> list[str]:
    """The fields in which production and what trains differ."""
    return [comparison.field for comparison in report.skew if comparison.differs]


def drifting(report: DatasetReport) -> list[str]:
    return [comparison.field for comparison in report.drift.fields if comparison.differs] if report.drift else []
