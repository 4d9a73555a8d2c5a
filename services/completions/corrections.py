"""Corrections: what a person says that the answer of a stored completion should have been.

In: a completion's id and the corrected message. Out: one correction a completion, which a later one replaces. The
captured answer stays as it was: runs grade it, and the correction trains in its place. A training set freezes those
that it is asked for with; a deleted completion's are taken from there, too.

Corrections are made by people, so there are thousands and not millions of them: a training set reads all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict

from completions.postings import Reference
from foundation import blobs, table
from foundation.ids import derived_id
from foundation.records import Record

_FROZEN = "FROZENCORRECTION#"


class Correction(Record):
    """The corrected answer of a completion."""

    KIND: ClassVar[str] = "CORRECTION"
    NAME: ClassVar[str] = "correction"

    model_config = ConfigDict(use_attribute_docstrings=True)

    object: Literal["chat.completion.correction"] = "chat.completion.correction"
    completion_id: str
    message: dict[str, Any]
    """The answer as it should have been, in OpenAI's shape. It trains instead of the teacher's."""
    note: str | None = None
    """Why it was corrected."""
    by: str | None = None
    """Who corrected it."""
    corrected_at: int
    """When it was last changed, in seconds since the epoch."""

    def record(self) -> Correction:
        """Write it over an earlier one of the completion. One that says the same stays as it was.

        Returns the one that stands.
        """
        if not self.create():
            earlier = Correction.load(self.id)
            if earlier.said != self.said:
                earlier.change({**self.said, "corrected_at": self.corrected_at})
        return Correction.load(self.id)

    @property
    def said(self) -> dict[str, Any]:
        """What the person said."""
        return {"message": self.message, "note": self.note, "by": self.by}


def id_of(completion_id: str) -> str:
    """The id of the correction of a completion."""
    return derived_id("correction_", completion_id)


def find(completion_id: str) -> Correction | None:
    """The correction of a completion, if there is one."""
    return Correction.find(id_of(completion_id))


def discard(completion_id: str) -> bool:
    """Delete the correction of a completion. Returns False if there was none."""
    correction = find(completion_id)
    if correction:
        correction.remove()
    return correction is not None


def by_completion() -> dict[str, Correction]:
    """Every correction, by the id of its completion."""
    return {correction.completion_id: correction for correction in Correction.every()}


def of(references: Iterable[Reference]) -> list[Correction]:
    """The corrections of the completions with these references, in their order."""
    known = by_completion()
    return [known[reference.id] for reference in references if reference.id in known]


def freeze(key: str, corrections: Iterable[Correction]) -> None:
    """Write corrections, also where there are none, so that whoever reads them later reads the same ones.

    Where each is frozen is noted first: whoever erases a completion finds its texts there.
    """
    together = list(corrections)
    table.write_all({"pk": f"{_FROZEN}{correction.completion_id}", "sk": key} for correction in together)
    _write(key, together)


def _write(key: str, corrections: Iterable[Correction]) -> None:
    lines = (correction.model_dump_json().encode() + b"\n" for correction in corrections)
    blobs.put_lines(key, lines, content_type="application/jsonl")


def erase(completion_id: str) -> None:
    """Delete the correction of a completion, and take it from wherever it is frozen."""
    discard(completion_id)
    for row in list(table.query(f"{_FROZEN}{completion_id}")):
        corrections = frozen(row["sk"])
        if corrections.pop(completion_id, None):
            _write(row["sk"], corrections.values())
        table.delete(row["pk"], row["sk"])


def frozen(key: str) -> dict[str, Correction]:
    """What was frozen there, by the id of the completion; nothing where there is no such object."""
    corrections = map(Correction.model_validate_json, blobs.raw_lines(key) or ())
    return {correction.completion_id: correction for correction in corrections}
