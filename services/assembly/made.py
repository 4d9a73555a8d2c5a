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
from assembly.figures import Figures
from assembly.grading import Grading
from assembly.making import Making
from assembly.masking import Masker, mask_of
from assembly.parts import Parts, compares
from assembly.questions import TestQuestion
from assembly.report.survey import Survey
from assembly.settled import Settled, Whole
from assembly.stages.plan import is_staged
from assembly.stages.staged import Staged
from assembly.stages.work import Work
from assembly.time_left import HandedOver, TimeLeft
from completions import selection
from distillations.dataset import DatasetCard
from distillations.formats import format_named
from distillations.grading_steps import Augment, Quality
from distillations.held_out import HeldOut
from distillations.recipe import NearLeaks, UsedRecipe
from distillations.text_steps import PersonalData
from distillations.trainers import TRAINERS
from foundation import blobs
from foundation.errors import ApiError

LEASE = "ASSEMBLE"
"""The lease of a dataset that is being made."""
MOST_GRADED = 1_000_000
"""The completions of a set whose end is done in one go: each takes 0.9 kB of the function's 1,769 MB."""


@contextmanager
def curated(making: Making, context: Any, grading: Grading) -> Iterator[Settled]:
    """The completions curated by the recipe, held against the test rows. `context` is Lambda's.

    A very large set is decided stage by stage, unless a step of its recipe has rows graded. Raises GoesOn where its
    time ends first, HandedOver where the state machine makes the parts, and Waiting where rows are still to be graded:
    the pass is taken again when they are.
    """
    time_left = TimeLeft(context)
    # Whoever makes a part reads no runs.
    making.freeze_answers()
    parts = list(selection.parts(making.selection))
    _refuse_too_large(making, len(parts))
    signed = compares(making.recipe)
    of_parts = Parts(making, parts) if len(parts) > 1 else None
    if of_parts and machine.hand_over(making, of_parts.unread(), context, signed=signed):
        raise HandedOver
    held_out, questions = _held_out(making)
    known = _known(making, held_out)
    if of_parts:
        read_and_sign(of_parts, known, time_left, signed=signed)
        if len(parts) >= machine.LEAST_PARTS and is_staged(making.recipe):
            yield Staged(Work(making, of_parts, questions, time_left))
            return
        time_left.finish()
    with TemporaryFile() as spool, TemporaryFile() as notes:
        mask = mask_of(making.recipe.steps_of(PersonalData))
        survey = Survey(notes, making.recipe.slice_keys, known.corrections, mask)
        curator = Curator(making.recipe, known, spool, questions, grading, survey=survey)
        if of_parts:
            of_parts.give(curator, spool, signed=signed)
        else:
            curator.read(making.completions())
        curator.decide()
        yield Whole(making, curator)


def _refuse_too_large(making: Making, parts: int) -> None:
    """Raises ApiError where a step has rows graded of more completions than there is memory for."""
    if parts * selection.MOST_IN_A_PART <= MOST_GRADED or is_staged(making.recipe):
        return
    selected = sum(1 for _ in blobs.raw_lines(making.selection) or ())
    if selected > MOST_GRADED:
        raise ApiError(
            f"Steps that have rows graded or written (quality, consensus, best_of, augment) take {MOST_GRADED:,} "
            f"completions at most, and the filter selects {selected:,}. Narrow it by time or by tags, give it a "
            "'limit', or leave these steps out.",
            code="too_many_completions",
        )


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


def too_few_pairs(figures: Figures, least: int) -> ApiError:
    """The failure of a set that has fewer pairs than it needs, and how to get some."""
    return ApiError(
        f"The training set has {figures.rows} pairs; at least {least} are needed to train on. A pair is an "
        "answer of the source that passed and another one to the same question that failed, both in the recipe's "
        "'runs'. To get some, run the eval on the completions of the source twice, on their stored answers and with "
        f"the student, and name both runs. Left out: {figures.left_out()}.",
        code="too_few_pairs",
        param="recipe.runs",
    )


def card_of(settled: Settled, recipe: UsedRecipe, grading: Grading, **about: Any) -> DatasetCard:
    """The card of a set that is decided; `about` is what the dataset was made for."""
    figures = settled.figures
    shared = ("selected", "rows", "train_rows", "train_lines", "validation_rows", "dropped", "changed", "masked")
    more = ("contradicted", "leaks", "synthetic", "history_turns")
    return DatasetCard(
        **about,
        **{name: getattr(figures, name) for name in (*shared, *more)},
        recipe=recipe,
        malformed=figures.problems,
        corrected=[name for _, name in figures.corrected],
        runs=grading.runs(),
        agreement=list(settled.agreement),
        augmented=list(settled.augmented),
    )
