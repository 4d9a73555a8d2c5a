"""A curated training set while its lines lie in a spool, and the card that describes it.

In: what a dataset is made of, and how. Out: the curator, for as long as the block lasts, and the figures of the card. A
large dataset is read part by part; where the time of an invocation ends before that, another one goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import Any

from assembly import machine
from assembly.curate import Curator
from assembly.curation.rule import Known
from assembly.grading import Grading
from assembly.making import Making
from assembly.masking import Masker, mask_of
from assembly.parts import Parts
from assembly.questions import TestQuestion
from assembly.report.survey import Survey
from assembly.time_left import HandedOver, TimeLeft
from completions import selection
from distillations.dataset import DatasetCard
from distillations.formats import format_named
from distillations.grading_steps import Augment, Quality
from distillations.held_out import HeldOut
from distillations.recipe import NearDuplicates, NearLeaks, UsedRecipe
from distillations.text_steps import PersonalData
from distillations.trainers import TRAINERS
from foundation.errors import ApiError

LEASE = "ASSEMBLE"
"""The lease of a dataset that is being made."""


@contextmanager
def curated(making: Making, context: Any, grading: Grading) -> Iterator[Curator]:
    """The completions curated by the recipe, held against the test rows. `context` is Lambda's.

    Raises GoesOn where its time ends first, HandedOver where the state machine makes the parts, and Waiting where rows
    are still to be graded: the pass is taken again when they are.
    """
    time_left = TimeLeft(context)
    # Whoever makes a part reads no runs.
    making.freeze_answers()
    parts = list(selection.parts(making.selection))
    signed = bool(making.recipe.steps_of(NearLeaks, NearDuplicates, Augment))
    of_parts = Parts(making, parts) if len(parts) > 1 else None
    if of_parts and machine.hand_over(making, of_parts.unread(), context, signed=signed):
        raise HandedOver
    held_out, questions = _held_out(making)
    known = _known(making, held_out)
    with TemporaryFile() as spool, TemporaryFile() as notes:
        mask = mask_of(making.recipe.steps_of(PersonalData))
        survey = Survey(notes, making.recipe.slice_keys, known.corrections, mask)
        curator = Curator(making.recipe, known, spool, questions, grading, survey=survey)
        if of_parts:
            read_and_sign(of_parts, known, time_left, signed=signed)
            of_parts.give(curator, spool, signed=signed)
        else:
            curator.read(making.completions())
        curator.decide()
        yield curator


def known_of(making: Making) -> Known:
    """What completions are held against."""
    return _known(making, _held_out(making)[0])


def _known(making: Making, held_out: HeldOut) -> Known:
    corrections = making.corrections() if making.recipe.corrections else {}
    recipe = making.recipe
    return Known(
        held_out=held_out,
        format=format_named(TRAINERS[making.trainer].formats[recipe.method]),
        corrections=corrections,
        answers=making.answers() if recipe.method == "dpo" else None,
        graded_later=bool(recipe.steps_of(Quality)),
        keep=frozenset(recipe.keep),
        drop=frozenset(recipe.drop),
    )


def _held_out(making: Making) -> tuple[HeldOut, list[TestQuestion]]:
    held_out, questions = HeldOut(making.recipe.group_by), []
    near = bool(making.recipe.steps_of(NearLeaks, Augment))
    masks = making.recipe.steps_of(PersonalData)
    for item in making.test():
        held_out.add(item)
        if near:
            questions.append(TestQuestion(item["completion_id"], _masked(item["input"], masks)))
    return held_out, questions


def _masked(messages: list[dict[str, Any]], masks: Sequence[PersonalData]) -> list[dict[str, Any]]:
    """The question of a test row as the steps would leave it: what is masked in both is no difference."""
    for step in masks:
        masker = Masker(step.kinds)
        messages = [masker.message(message) for message in messages]
    return messages


def read_and_sign(parts: Parts, known: Known, time_left: TimeLeft, *, signed: bool) -> None:
    """Have every part read and, where a step needs them, its signatures made."""
    for part in parts.unread():
        time_left.spend()
        parts.read(part, known)
    unsigned = parts.unsigned() if signed else []
    template = parts.template() if unsigned else frozenset()
    for part in unsigned:
        time_left.spend()
        parts.sign(part, template)
    time_left.finish()


def too_few_pairs(curator: Curator, least: int) -> ApiError:
    """The failure of a set that has fewer pairs than it needs, and how to get some."""
    dropped = ", ".join(f"{count} {reason}" for reason, count in curator.dropped.items() if count)
    return ApiError(
        f"The training set has {len(curator.examples)} pairs; at least {least} are needed to train on. A pair is an "
        "answer of the source that passed and another one to the same question that failed, both in the recipe's "
        "'runs'. To get some, run the eval on the completions of the source twice, on their stored answers and with "
        f"the student, and name both runs. Left out: {dropped or 'none'}.",
        code="too_few_pairs",
        param="recipe.runs",
    )


def card_of(curator: Curator, recipe: UsedRecipe, grading: Grading, **about: Any) -> DatasetCard:
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
        masked=dict(sorted(curator.journal.masked.items())),
        contradicted=curator.contradicted(),
        malformed=curator.problems(),
        corrected=curator.corrected(),
        leaks=curator.leaks(),
        runs=grading.runs(),
        agreement=curator.agreement,
        synthetic=sum(row.synthetic for row, _ in curator.examples),
        augmented=curator.augmented,
        history_turns=sum(row.history_turns for row, _ in curator.examples),
    )
