"""A curated training set while its lines lie in a spool, and the card that describes it.

In: completions, the recipe, the items of test rows, and what the trainer takes. Out: the curator, for as long as the
block lasts, and the figures of the card.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import Any

from assembly.curate import Curator
from assembly.curation.rule import Known
from assembly.questions import TestQuestion
from completions.completion import Completion
from completions.corrections import Correction
from distillations.dataset import DatasetCard
from distillations.held_out import HeldOut
from distillations.recipe import NearLeaks, UsedRecipe
from distillations.trainers import TRAINERS

LEASE = "ASSEMBLE"
"""The lease of a dataset that is being made."""


@contextmanager
def curated(
    recipe: UsedRecipe,
    completions: Iterable[Completion],
    test: Iterable[dict[str, Any]],
    *,
    trainer: str,
    corrections: Mapping[str, Correction],
) -> Iterator[Curator]:
    """The completions curated by the recipe, held against the items of the test rows.

    `corrections` are what people corrected, by the id of the completion.
    """
    held_out, questions = HeldOut(recipe.group_by), []
    compares = bool(recipe.steps_of(NearLeaks))
    for item in test:
        held_out.add(item)
        if compares:
            questions.append(TestQuestion(item["completion_id"], item["input"]))
    corrected = corrections if recipe.corrections else {}
    known = Known(held_out=held_out, example=TRAINERS[trainer].example, corrections=corrected)
    with TemporaryFile() as spool:
        curator = Curator(recipe, known, spool, questions)
        curator.read(completions)
        curator.decide()
        yield curator


def card_of(curator: Curator, recipe: UsedRecipe, **about: Any) -> DatasetCard:
    """The card of what a curator decided; `about` is what the dataset was made for."""
    train = [place for _, place in curator.examples if place.outcome == "train"]
    return DatasetCard(
        **about,
        recipe=recipe,
        selected=curator.journal.selected,
        rows=len(curator.examples),
        train_rows=len(train),
        train_lines=sum(place.copies for place in train),
        validation_rows=len(curator.examples) - len(train),
        dropped=curator.dropped,
        changed=dict(curator.journal.changed),
        contradicted=curator.contradicted(),
        malformed=curator.problems(),
        corrected=curator.corrected(),
        leaks=curator.leaks(),
        history_turns=sum(row.history_turns for row, _ in curator.examples),
    )
