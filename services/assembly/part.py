"""A piece of a very large dataset, for the state machine: a part is read, the templates are found, a part is signed.

In: the piece, by the dataset and the part. Out: an object beside the others of the dataset (`parts`). Done before, it
is not done again, and nothing is done for a dataset that has ended. One that was deleted meanwhile raises NotFound, and
the state machine ends.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from assembly.made import known_of
from assembly.making import Making
from assembly.parts import Parts
from completions import selection
from completions.selection import Part
from distillations.dataset import Dataset
from distillations.distillation import Distillation


class Piece(BaseModel):
    """What an execution of the state machine asks for."""

    dataset_id: str
    distillation_id: str = ""
    step: Literal["read", "template", "sign"]
    part: Part | None = None
    """The part to be read or signed; the templates are those of all."""


def work_on(piece: Piece) -> None:
    """Do the piece, unless nobody waits for it any more."""
    if _is_over(piece):
        return
    making = Making.of(piece.dataset_id, piece.distillation_id)
    if piece.step == "template":
        Parts(making, list(selection.parts(making.selection))).template()
        return
    if piece.part is None:
        raise ValueError(f"no part is named to {piece.step}")
    parts = Parts(making, [piece.part])
    if piece.step == "read" and parts.unread():
        parts.read(piece.part, known_of(making))
    if piece.step == "sign" and parts.unsigned():
        parts.sign(piece.part, parts.template())


def _is_over(piece: Piece) -> bool:
    if piece.distillation_id:
        return Distillation.load(piece.distillation_id).status != "assembling"
    return not Dataset.load(piece.dataset_id).is_open
