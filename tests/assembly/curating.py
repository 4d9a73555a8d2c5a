"""Completions through a recipe, in process, as the tests of curation need them."""

from __future__ import annotations

from collections.abc import Iterable
from tempfile import TemporaryFile
from typing import Any, NamedTuple

from assembly.curate import Curator
from assembly.curation.rule import Known
from assembly.questions import TestQuestion
from completions.completion import Completion
from completions.corrections import Correction, id_of
from distillations.dataset_row import DatasetRow
from distillations.held_out import HeldOut
from distillations.recipe import Recipe
from tests.distilling import build


class Curated(NamedTuple):
    """What became of the completions, the examples' lines by id, and the curator with its figures."""

    rows: dict[str, DatasetRow]
    lines: dict[str, bytes]
    curator: Curator

    @property
    def drops(self) -> dict[str, int]:
        """The rules that dropped something."""
        return {rule: count for rule, count in self.curator.journal.dropped.items() if count}

    def ids(self, outcome: str) -> list[str]:
        return [row.id for row in self.rows.values() if row.outcome == outcome]


def completion(number: int, text: Any, answer: str | None = "yes", **more: Any) -> Completion:
    return Completion.of(build.record(number, text, answer, **more), at=build.AT)


def correction(number: int, **message: Any) -> Correction:
    """What a person answered in the place of a completion."""
    name = f"chatcmpl-{number}"
    return Correction(
        id=id_of(name), created_at=1, completion_id=name, message=message, by="ada", note="Wrong.", corrected_at=1
    )


def curated(
    completions: Iterable[Completion],
    recipe: Recipe | None = None,
    test: Iterable[Completion] = (),
    corrections: Iterable[Correction] = (),
) -> Curated:
    """The completions curated, held against test rows made of completions."""
    recipe = recipe or Recipe(validation_share=0)
    held_out, questions = HeldOut(recipe.group_by), []
    for row in test:
        item = row.row()["item"]
        held_out.add(item)
        questions.append(TestQuestion(item["completion_id"], item["input"]))
    with TemporaryFile() as spool:
        by_hand = {"keep": frozenset(recipe.keep), "drop": frozenset(recipe.drop)}
        known = Known(held_out=held_out, corrections={one.completion_id: one for one in corrections}, **by_hand)
        curator = Curator(recipe, known, spool, questions)
        curator.read(completions)
        curator.decide()
        lines = {example.row.id: curator.line(example.row) for example in curator.examples}
    return Curated({row.id: row for row in curator.rows()}, lines, curator)
